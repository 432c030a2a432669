import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { DelayedWork, type DueWork, RetryLater } from '../../platform/queue/delayed-work.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { UsersService } from '../users/users.service.js';
import { AudienceService, type Told } from './audience.service.js';
import * as decisions from './decisions.repository.js';
import { type DeviceRow, findDevice, markDeviceOk } from './devices.repository.js';
import { DevicesService, TEST_QUEUE } from './devices.service.js';
import type { DecisionReason } from './notifications.rules.js';
import { PUSH } from './expansion.service.js';
import { preview } from './notifications.rules.js';
import type { Push } from './push/push-driver.js';
import { PushProviders } from './push/push-providers.service.js';

/** How long somebody else may be at a push before it is looked at again. */
const BUSY_MS = 10_000;
/** Messages of a collapsed push that are looked at for one worth showing. */
const LOOKED_AT = 5;

type Verdict = { told: Told; count: number } | { reason: DecisionReason };

/** From a pending ledger row to the provider, and the outcome back into the row. */
@Injectable()
export class DeliveryService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly work: DelayedWork,
    private readonly users: UsersService,
    private readonly conversations: ConversationsService,
    private readonly audience: AudienceService,
    private readonly devices: DevicesService,
    private readonly providers: PushProviders,
  ) {}

  onModuleInit(): void {
    this.work.consume({ queue: PUSH, concurrency: 16, handle: (work) => this.push(work) });
    this.work.consume({ queue: TEST_QUEUE, concurrency: 2, handle: (work) => this.test(work) });
  }

  /** One attempt. A repeat of work that is done finds its row closed and does nothing. */
  private async push({ payload, last }: DueWork): Promise<void> {
    const key = {
      messageId: String(payload['messageId']),
      userId: String(payload['userId']),
      deviceId: String(payload['deviceId']),
    };
    const row = await decisions.claimDecision(this.database, key);
    if (!row) {
      const other = await decisions.findDecision(this.database, key);
      if (other?.decision === 'pending') throw new RetryLater(BUSY_MS, 'somebody else is at it');
      return;
    }
    const device = await findDevice(this.database, row.userId, row.deviceId);
    if (!device) return this.close(row, 'suppressed', 'no_device');
    if (!device.enabled) return this.close(row, 'suppressed', 'device_disabled');
    const verdict = await this.decideAgain(row);
    if ('reason' in verdict) return this.close(row, 'suppressed', verdict.reason);
    await this.attempt(row, device, await this.compose(row, verdict), last);
  }

  private async attempt(row: decisions.DecisionRow, device: DeviceRow, push: Push, last: boolean): Promise<void> {
    const outcome = await this.providers.send(device.provider, this.devices.tokenOf(device), push);
    switch (outcome.result) {
      case 'sent':
        await this.close(row, 'sent', 'ok', outcome.status);
        await markDeviceOk(this.database, row.userId, row.deviceId);
        return;
      case 'dead':
        await this.devices.bury(device);
        return this.close(row, 'failed', 'token_dead', outcome.status);
      case 'refused':
        return this.close(row, 'failed', 'provider_error', outcome.status);
      case 'retry':
        if (last) await this.close(row, 'failed', 'provider_error', outcome.status);
        else await decisions.releaseDecision(this.database, row, outcome.status);
        if (outcome.afterMs !== undefined) throw new RetryLater(outcome.afterMs, `provider: ${outcome.status}`);
        throw new Error(`provider: ${outcome.status}`);
    }
  }

  /**
   * What was decided may be old by now: the queue was long, the provider down, or the message read. Of those told together
   * the newest that still may ring is shown.
   */
  private async decideAgain(row: decisions.DecisionRow): Promise<Verdict> {
    const ids = await decisions.carriedBy(this.database, row);
    let first: DecisionReason | undefined;
    for (const id of ids.slice(0, LOOKED_AT)) {
      const told = await this.audience.about(id);
      const reason = told ? await this.audience.suppressedFor(told, row.userId) : 'deleted';
      if (told && reason === undefined) return { told, count: ids.length };
      first ??= reason;
    }
    return { reason: first ?? 'deleted' };
  }

  private async compose(row: decisions.DecisionRow, { told, count }: Extract<Verdict, { told: Told }>): Promise<Push> {
    const { message } = told;
    const [[sender], preferences, unread] = await Promise.all([
      this.users.findMany(message.senderId === null ? [] : [message.senderId]),
      this.users.preferencesOf([row.userId]),
      this.conversations.unreadOf(row.userId),
    ]);
    const wishes = preferences.get(row.userId)?.notifications;
    const text = preview(message.body, message.attachments.length);
    return {
      id: `push-${row.messageId}-${row.deviceId}`,
      kind: 'notify',
      messageId: message.id,
      conversationId: message.conversationId,
      seq: message.seq,
      userId: row.userId,
      deviceId: row.deviceId,
      title: sender?.displayName ?? null,
      body: count > 1 ? `${count} new messages` : wishes?.preview === false ? null : text,
      badge: wishes === undefined || wishes.badge === 'off' ? null : unread[wishes.badge],
      collapseKey: row.collapseKey,
    };
  }

  private async close(
    row: decisions.DecisionRow,
    decision: 'sent' | 'suppressed' | 'failed',
    reason: DecisionReason,
    providerStatus: string | null = null,
  ): Promise<void> {
    await decisions.closeDecision(this.database, row, { decision, reason, providerStatus });
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
    if (outcome.result === 'sent') await markDeviceOk(this.database, userId, deviceId);
    if (outcome.result === 'dead') await this.devices.bury(device);
    if (outcome.result === 'retry') throw new Error(`provider: ${outcome.status}`);
  }
}
