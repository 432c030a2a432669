import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { DelayedWork, type DueWork, type WorkItem } from '../../platform/queue/delayed-work.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { AudienceService, type Told } from './audience.service.js';
import * as decisions from './decisions.repository.js';
import { type DeviceRow, listDevices } from './devices.repository.js';
import type { DecisionReason } from './notifications.rules.js';
import { MentionsService } from './mentions.service.js';
import { COLLAPSE_MS, deviceSuppression } from './notifications.rules.js';
import { PushProviders } from './push/push-providers.service.js';

const EXPAND = 'notify.expand';
const DECIDE = 'notify.decide';
export const PUSH = 'notify.push';
const PAGE = 500;

export const pushWork = ({ messageId, userId, deviceId }: decisions.DecisionKey, delayMs = 0): WorkItem => ({
  queue: PUSH,
  key: messageId,
  payload: { messageId, userId, deviceId },
  delayMs,
});

/** From a message to one ledger row per device: expanded by pages, decided after the grace delay. */
@Injectable()
export class ExpansionService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly work: DelayedWork,
    private readonly conversations: ConversationsService,
    private readonly audience: AudienceService,
    private readonly mentions: MentionsService,
    private readonly providers: PushProviders,
    private readonly config: Config,
  ) {}

  onModuleInit(): void {
    this.work.consume({ queue: EXPAND, concurrency: 4, handle: (work) => this.expand(work) });
    this.work.consume({ queue: DECIDE, concurrency: 4, handle: (work) => this.decidePage(work) });
  }

  /** Takes new messages over from the relay, which must not wait. */
  async take(messageIds: readonly string[]): Promise<void> {
    await this.work.add(messageIds.map((messageId) => ({ queue: EXPAND, key: messageId, payload: { messageId } })));
  }

  private async expand({ payload }: DueWork): Promise<void> {
    const told = await this.audience.about(String(payload['messageId']));
    if (!told || told.facts.quiet || told.facts.deleted) return;
    await this.mentions.list(told);
    await this.work.add([pageWork(told, null, told.message.kind === 'call' ? 0 : this.config.NOTIFY_DELAY_MS)]);
  }

  private async decidePage({ payload }: DueWork): Promise<void> {
    const told = await this.audience.about(String(payload['messageId']));
    if (!told) return;
    const after = typeof payload['after'] === 'string' ? payload['after'] : null;
    const recipients = await this.conversations.listRecipients(told.message.conversationId, after, PAGE);
    const last = recipients.at(-1);
    // First, so that other workers take the rest of a large conversation meanwhile. A repeat finds its rows in the ledger.
    if (last && recipients.length === PAGE) await this.work.add([pageWork(told, last.userId, 0)]);
    const others = recipients.filter(({ userId }) => userId !== told.message.senderId);
    const devices = await listDevices(
      this.database,
      others.map(({ userId }) => userId),
    );
    if (devices.length === 0) return;
    const withDevice = new Set(devices.map(({ userId }) => userId));
    const reasons = await this.audience.suppressed(
      told,
      others.filter(({ userId }) => withDevice.has(userId)),
    );
    await this.enter(told, devices, reasons);
  }

  /** Ledger rows and the work that follows from them, in one transaction. */
  private async enter(
    { message: { id: messageId, conversationId } }: Told,
    devices: readonly DeviceRow[],
    reasons: ReadonlyMap<string, DecisionReason>,
  ): Promise<void> {
    await this.database.tx(async (tx) => {
      await decisions.lockDecisions(tx, conversationId);
      const userIds = [...new Set(devices.map(({ userId }) => userId))];
      const recent = new Map(
        (await decisions.recentPushes(tx, userIds, conversationId)).map((row) => [identity(row), row]),
      );
      const delays = new Map<string, number>();
      const rows = devices.map((device): decisions.NewDecision => {
        const { userId, deviceId, provider, enabled } = device;
        const row = { messageId, deviceId, userId, conversationId, provider, collapseKey: conversationId };
        const before = recent.get(identity(device));
        const reason =
          reasons.get(userId) ??
          deviceSuppression({ enabled, reachable: this.providers.available(provider), recent: before?.count ?? 0 });
        if (reason !== undefined) return { ...row, decision: 'suppressed', reason };
        if (before?.carried) return { ...row, decision: 'collapsed', reason: 'collapsed' };
        delays.set(identity(device), Math.max(0, COLLAPSE_MS - (before?.sinceMs ?? COLLAPSE_MS)));
        return { ...row, decision: 'pending', reason: 'ok' };
      });
      const entered = await decisions.insertDecisions(tx, rows);
      const due = entered.filter((key) => delays.has(identity(key)));
      await this.work.add(
        due.map((key) => pushWork(key, delays.get(identity(key)))),
        tx,
      );
    });
  }
}

const pageWork = ({ message }: Told, after: string | null, delayMs: number): WorkItem => ({
  queue: DECIDE,
  key: message.id,
  payload: { messageId: message.id, after },
  delayMs,
});

const identity = ({ userId, deviceId }: { userId: string; deviceId: string }): string => `${userId} ${deviceId}`;
