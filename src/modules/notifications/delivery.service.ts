import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Coalescer } from '../../platform/database/coalescer.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { DelayedWork, type DueWork, RetryLater } from '../../platform/queue/delayed-work.js';
import { type Badges, ConversationsService } from '../conversations/conversations.service.js';
import type { Preferences } from '../users/dto/preferences.view.js';
import { UsersService } from '../users/users.service.js';
import { AudienceService, type Judge, type Told } from './audience.service.js';
import * as decisions from './decisions.repository.js';
import { deviceKey, type DeviceRow, findDevice, findDevices, markDevicesOk } from './devices.repository.js';
import { DevicesService, TEST_QUEUE } from './devices.service.js';
import type { DecisionReason } from './notifications.rules.js';
import { decisionKey } from './ledger.rules.js';
import { type PushText, PushTexts } from './push-texts.service.js';
import { PUSH, pushPayload, pushWork } from './push-work.js';
import type { Push, PushOutcome } from './push/push-driver.js';
import { PushProviders } from './push/push-providers.service.js';

/** How long somebody else may be at a push before it is looked at again. */
const BUSY_MS = 10_000;
/** Pause before a push that failed among others is tried alone. */
const PAUSE_MS = 2000;
/** Pushes of one piece of work that are under way together. */
const AT_ONCE = 16;
/** Messages of a collapsed push that are looked at for one worth showing. */
const LOOKED_AT = 5;

type Ringing = { told: Told; count: number };
type Verdict = Ringing | { reason: DecisionReason };

/** A device that was tried, and what its provider said. */
interface Rung {
  device: DeviceRow;
  outcome: PushOutcome;
}

/** What has to be tried again, and when, if somebody said so. */
interface Again {
  key: decisions.DecisionKey;
  error: unknown;
  afterMs?: number | undefined;
}

/** From pending ledger rows to the provider, and the outcomes back into the rows. */
@Injectable()
export class DeliveryService implements OnModuleInit {
  private readonly closing = new Coalescer<decisions.Closing, void>(async (closings) => {
    await decisions.closeDecisions(this.database, closings);
    await markDevicesOk(
      this.database,
      closings.filter(({ decision }) => decision === 'sent'),
    );
    return [];
  });

  constructor(
    private readonly database: DatabaseService,
    private readonly work: DelayedWork,
    private readonly users: UsersService,
    private readonly conversations: ConversationsService,
    private readonly audience: AudienceService,
    private readonly texts: PushTexts,
    private readonly devices: DevicesService,
    private readonly providers: PushProviders,
  ) {}

  onModuleInit(): void {
    this.work.consume({ queue: PUSH, concurrency: 4, handle: (work) => this.push(work) });
    this.work.consume({ queue: TEST_QUEUE, concurrency: 2, handle: (work) => this.test(work) });
  }

  /** One attempt each. A repeat of work that is done finds its rows closed and does nothing. */
  private async push({ payload, last }: DueWork): Promise<void> {
    const { pushes } = pushPayload.parse(payload);
    const alone = pushes.length === 1;
    const rows = await decisions.claimDecisions(this.database, pushes);
    const again = [...(await this.deliver(rows, alone && last)), ...(await this.busy(pushes, rows))];
    const [first] = again;
    if (!first) return;
    // Alone it has the queue's tries and pauses; those that failed together go on alone.
    if (!alone)
      return this.work.add(again.flatMap(({ key, afterMs = PAUSE_MS }) => pushWork([{ ...key, delayMs: afterMs }])));
    throw first.afterMs === undefined ? first.error : new RetryLater(first.afterMs, String(first.error));
  }

  /** Those that are open although they could not be claimed. */
  private async busy(
    pushes: readonly decisions.DecisionKey[],
    claimed: readonly decisions.DecisionRow[],
  ): Promise<Again[]> {
    if (claimed.length === pushes.length) return [];
    const own = new Set(claimed.map(decisionKey));
    const open = await decisions.listPending(this.database, pushes);
    return open
      .filter((key) => !own.has(decisionKey(key)))
      .map((key) => ({ key, error: 'somebody else is at it', afterMs: BUSY_MS }));
  }

  private async deliver(rows: readonly decisions.DecisionRow[], last: boolean): Promise<Again[]> {
    if (rows.length === 0) return [];
    const devices = await findDevices(this.database, rows);
    const verdicts = await this.decideAgain(rows);
    const texts = await this.texts.of([...verdicts.values()].flatMap((v) => ('told' in v ? v.told.message.id : [])));
    const userIds = [...new Set(rows.map(({ userId }) => userId))];
    const [wishes, badges] = await Promise.all([
      this.users.preferencesOf(userIds),
      this.conversations.badgesOf(userIds),
    ]);
    /** Whom the provider was asked about and what it said, or why it was not asked. */
    const ring = async (row: decisions.DecisionRow): Promise<Rung | DecisionReason> => {
      const device = devices.get(deviceKey(row));
      const verdict = verdicts.get(row) ?? { reason: 'deleted' };
      if (!device) return 'no_device';
      if (!device.enabled) return 'device_disabled';
      if ('reason' in verdict) return verdict.reason;
      const text = texts.get(verdict.told.message.id);
      if (!text) return 'deleted';
      const push = pushOf(row, verdict, text, wishes.get(row.userId)?.notifications, badges.get(row.userId));
      return { device, outcome: await this.providers.send(device.provider, this.devices.tokenOf(device), push) };
    };
    // The next push does not wait until this one is entered: entries of many go together.
    const ends: Promise<Again | undefined>[] = [];
    await eachOf(rows, AT_ONCE, async (row) => {
      const failed = (error: unknown): Again => ({ key: row, error });
      await ring(row).then(
        (rung) => void ends.push(this.enter(row, rung, last).catch(failed)),
        (error: unknown) => void ends.push(Promise.resolve(failed(error))),
      );
    });
    return (await Promise.all(ends)).filter((end) => end !== undefined);
  }

  /** Answers what is to be tried again. */
  private async enter(
    row: decisions.DecisionRow,
    rung: Rung | DecisionReason,
    last: boolean,
  ): Promise<Again | undefined> {
    if (typeof rung === 'string') return this.close(row, 'suppressed', rung);
    const { device, outcome } = rung;
    switch (outcome.result) {
      case 'sent':
        return this.close(row, 'sent', 'ok', outcome.status);
      case 'dead':
        await this.devices.bury(device);
        return this.close(row, 'failed', 'token_dead', outcome.status);
      case 'refused':
        return this.close(row, 'failed', 'provider_error', outcome.status);
      case 'retry':
        if (last) await this.close(row, 'failed', 'provider_error', outcome.status);
        else await decisions.releaseDecision(this.database, row, outcome.status);
        return { key: row, error: new Error(`provider: ${outcome.status}`), afterMs: outcome.afterMs };
    }
  }

  /**
   * What was decided may be old by now: the queue was long, the provider down, or the message read. Of those told together
   * the newest that still may ring is shown.
   */
  private async decideAgain(rows: readonly decisions.DecisionRow[]): Promise<Map<decisions.DecisionRow, Verdict>> {
    const carried = await decisions.listCarried(this.database, rows);
    const ids = new Map(rows.map((row) => [row, [...(carried.get(row) ?? []), row.messageId]]));
    const looked = [...new Set([...ids.values()].flatMap((all) => all.slice(0, LOOKED_AT)))];
    const told = new Map((await this.audience.aboutAll(looked)).map((one) => [one.message.id, one]));
    const judge = await this.audience.judge([...told.values()], rows);
    return new Map(rows.map((row) => [row, verdictOn(row, ids.get(row) ?? [], told, judge)]));
  }

  private async close(
    { messageId, userId, deviceId }: decisions.DecisionRow,
    decision: 'sent' | 'suppressed' | 'failed',
    reason: DecisionReason,
    providerStatus: string | null = null,
  ): Promise<undefined> {
    await this.closing.ask({ messageId, userId, deviceId, decision, reason, providerStatus });
  }

  private async test({ id, payload }: DueWork): Promise<void> {
    const [userId, deviceId] = [String(payload['userId']), String(payload['deviceId'])];
    const device = await findDevice(this.database, userId, deviceId);
    if (!device) return;
    const about = { messageId: null, conversationId: null, seq: null, userId, deviceId, badge: null };
    const outcome = await this.providers.send(device.provider, this.devices.tokenOf(device), {
      ...about,
      id: `push-test-${id}`,
      kind: 'notify',
      title: 'Parley',
      body: 'Notifications work on this device',
      collapseKey: 'test',
    });
    if (outcome.result === 'sent') await markDevicesOk(this.database, [device]);
    if (outcome.result === 'dead') await this.devices.bury(device);
    if (outcome.result === 'retry') throw new Error(`provider: ${outcome.status}`);
  }
}

function pushOf(
  row: decisions.DecisionRow,
  { told: { message }, count }: Ringing,
  { title, body }: PushText,
  wishes: Preferences['notifications'] | undefined,
  unread: Badges | undefined,
): Push {
  const badge = wishes?.badge ?? 'off';
  return {
    id: `push-${row.messageId}-${row.userId}-${row.deviceId}`,
    kind: 'notify',
    messageId: message.id,
    conversationId: message.conversationId,
    seq: message.seq,
    userId: row.userId,
    deviceId: row.deviceId,
    title,
    body: count > 1 ? `${count} new messages` : wishes?.preview === false ? null : body,
    badge: badge === 'off' ? null : (unread?.[badge] ?? 0),
    collapseKey: row.collapseKey,
  };
}

function verdictOn(
  row: decisions.DecisionRow,
  ids: readonly string[],
  told: ReadonlyMap<string, Told>,
  judge: Judge,
): Verdict {
  let first: DecisionReason | undefined;
  for (const id of ids.slice(0, LOOKED_AT)) {
    const one = told.get(id);
    const reason = one ? judge(one, row) : 'deleted';
    if (one && reason === undefined) return { told: one, count: ids.length };
    first ??= reason;
  }
  return { reason: first ?? 'deleted' };
}

/** At most so many at a time; `work` never rejects. */
async function eachOf<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const left = items.values();
  const lane = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
