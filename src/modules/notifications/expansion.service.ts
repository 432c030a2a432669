import { Injectable, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { DelayedWork, type DueWork, type WorkItem } from '../../platform/queue/delayed-work.js';
import type { Place } from '../conversations/conversations.service.js';
import type { MessageBrief } from '../messages/dto/message.view.js';
import { MessagesService } from '../messages/messages.service.js';
import { AudienceService, type Told } from './audience.service.js';
import { listCandidates, listReachable } from './candidates.repository.js';
import * as decisions from './decisions.repository.js';
import { listDevices } from './devices.repository.js';
import { decisionKey, planDecisions } from './ledger.rules.js';
import { MentionsService } from './mentions.service.js';
import { isQuietMessage } from './notifications.rules.js';
import { PushProviders } from './push/push-providers.service.js';
import { pushWork } from './push-work.js';

const LIST = 'notify.list';
const DECIDE = 'notify.decide';
/** Messages of one piece of work, and members with a device that are looked at together: their product is decided at once. */
const MESSAGES = 20;
const PAGE = 500;

const listWork = z.object({ messageIds: z.array(z.uuid()).max(MESSAGES) });
const decideWork = listWork.extend({
  /** Where the page before ended. */
  after: z.object({ conversationId: z.uuid(), userId: z.uuid() }).nullable(),
});

/**
 * From messages to one ledger row per device. Messages go together, as many as were sent meanwhile; what concerns nobody
 * leaves no work behind. Decided after the grace delay, by pages.
 */
@Injectable()
export class ExpansionService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly work: DelayedWork,
    private readonly messages: MessagesService,
    private readonly audience: AudienceService,
    private readonly mentions: MentionsService,
    private readonly providers: PushProviders,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    // One at a time, so that lists are in the order of what happened.
    this.work.consume({ queue: LIST, concurrency: 1, handle: (work) => this.list(work) });
    this.work.consume({ queue: DECIDE, concurrency: 4, handle: (work) => this.decide(work) });
  }

  /** Takes new messages over from the relay, which must not wait. */
  async take(messageIds: readonly string[]): Promise<void> {
    const heard = (await this.messages.briefs(messageIds)).filter((m) => m.deletedAt === null && !isQuietMessage(m));
    const reachable = await listReachable(this.database, heard);
    const [calls, others] = [true, false].map((call) =>
      heard.filter((m) => reachable.has(m.id) && (m.kind === 'call') === call),
    ) as [MessageBrief[], MessageBrief[]];
    await this.work.add([
      ...batches(heard.filter(concernsSomebody)).map((ids) => itemOf(LIST, { messageIds: ids })),
      ...batches(calls).map((ids) => itemOf(DECIDE, { messageIds: ids, after: null })),
      ...batches(others).map((ids) => itemOf(DECIDE, { messageIds: ids, after: null }, this.config.NOTIFY_DELAY_MS)),
    ]);
  }

  private async list(work: DueWork): Promise<void> {
    const { messageIds } = listWork.parse(work.payload);
    if (await this.takenApart(LIST, work, messageIds, {})) return;
    for (const told of await this.audience.aboutAll(messageIds))
      if (!told.facts.quiet && !told.facts.deleted) await this.mentions.list(told);
  }

  private async decide(work: DueWork): Promise<void> {
    const { messageIds, after } = decideWork.parse(work.payload);
    if (await this.takenApart(DECIDE, work, messageIds, { after })) return;
    const told = await this.audience.aboutAll(messageIds);
    const rooms = [...new Set(told.map(({ message }) => message.conversationId))];
    const places = await listCandidates(this.database, rooms, after, PAGE);
    const last = places.at(-1);
    // First, so that other workers take the rest meanwhile. A repeat finds its rows in the ledger.
    if (last && places.length === PAGE) {
      const left = told.filter(({ message }) => message.conversationId >= last.conversationId);
      await this.work.add([itemOf(DECIDE, { messageIds: left.map(({ message }) => message.id), after: last })]);
    }
    if (places.length > 0) await this.enter(told, places);
  }

  /** Ledger rows and the work that follows from them, in one transaction. */
  private async enter(told: readonly Told[], places: readonly Place[]): Promise<void> {
    const userIds = [...new Set(places.map(({ userId }) => userId))];
    const rooms = [...new Set(places.map(({ conversationId }) => conversationId))];
    const messageIds = told.map(({ message }) => message.id);
    const [devices, judge] = await Promise.all([
      listDevices(this.database, userIds),
      this.audience.judge(told, places),
    ]);
    await this.database.tx(async (tx) => {
      await decisions.lockDecisions(tx, rooms);
      const decided = await decisions.listDecided(tx, messageIds, userIds);
      const recent = await decisions.recentPushes(tx, userIds, rooms);
      const planned = planDecisions(told, places, devices, {
        judge,
        available: (provider) => this.providers.available(provider),
        recent,
        decided: new Set(decided.map(decisionKey)),
      });
      if (planned.length === 0) return;
      await decisions.insertDecisions(tx, planned);
      await this.work.add(pushWork(planned), tx);
    });
  }

  /** A message that cannot be dealt with must not take others along: what failed together is tried one by one. */
  private async takenApart(
    queue: string,
    { attempt }: DueWork,
    messageIds: readonly string[],
    rest: Record<string, unknown>,
  ): Promise<boolean> {
    if (attempt === 1 || messageIds.length <= 1) return false;
    await this.work.add(messageIds.map((id) => itemOf(queue, { ...rest, messageIds: [id] })));
    return true;
  }
}

const concernsSomebody = ({ mentions, mentionAll, replyToSeq, threadId }: MessageBrief): boolean =>
  mentions.length > 0 || mentionAll || replyToSeq !== null || threadId !== null;

function batches(messages: readonly MessageBrief[]): string[][] {
  const ids = messages.map(({ id }) => id);
  return Array.from({ length: Math.ceil(ids.length / MESSAGES) }, (_, i) =>
    ids.slice(i * MESSAGES, (i + 1) * MESSAGES),
  );
}

const itemOf = (queue: string, payload: { messageIds: string[]; after?: Place | null }, delayMs = 0): WorkItem => ({
  queue,
  key: payload.messageIds[0] ?? '',
  payload,
  delayMs,
});
