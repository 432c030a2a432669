import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { SecretBox } from '../../platform/auth/secret-box.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { DomainError, notFound } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { DelayedWork } from '../../platform/queue/delayed-work.js';
import { Feeds, type UserReader } from '../../platform/realtime/feeds.js';
import { UserFeedAdvanced } from '../users/users.events.js';
import * as devices from './devices.repository.js';
import { type DeviceView, toDeviceView } from './dto/device.view.js';
import type { PutDevice } from './dto/device.dto.js';
import { PushProviders } from './push/push-providers.service.js';

const MAX_DEVICES = 20;
const TOKEN = 'push-token';
export const TEST_QUEUE = 'push.test';

/** Where a user can be reached by push. A token is one installation's, so it belongs to whoever registered it last. */
@Injectable()
export class DevicesService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly box: SecretBox,
    private readonly providers: PushProviders,
    private readonly work: DelayedWork,
    private readonly feeds: Feeds,
  ) {}

  onModuleInit(): void {
    this.feeds.userReaders.push(this.changes);
  }

  async list(actor: Actor): Promise<{ items: DeviceView[]; next: null; prev: null }> {
    const rows = await devices.listDevices(this.database, [actor.userId]);
    return { items: rows.map(toDeviceView), next: null, prev: null };
  }

  /** Registers a device or replaces what is known of it. @throws provider_unavailable, limit_exceeded */
  async put(actor: Actor, deviceId: string, input: PutDevice): Promise<DeviceView> {
    if (!this.providers.available(input.provider)) throw new DomainError('provider_unavailable');
    const { subscription, token = '' } = input;
    const [identity, secret] = subscription ? [subscription.endpoint, JSON.stringify(subscription)] : [token, token];
    const wanted: devices.NewDevice = {
      userId: actor.userId,
      deviceId,
      provider: input.provider,
      tokenHash: this.box.sign(TOKEN, identity),
      tokenEnc: this.box.seal(TOKEN, secret),
      platform: input.platform,
      appVersion: input.appVersion ?? null,
      locale: input.locale ?? null,
      enabled: input.enabled,
    };
    return this.database.tx(async (tx) => {
      await devices.lockToken(tx, wanted.provider, wanted.tokenHash);
      const holder = await devices.findByToken(tx, wanted.provider, wanted.tokenHash);
      const moved = holder && (holder.userId !== actor.userId || holder.deviceId !== deviceId) ? holder : undefined;
      const revs = await devices.advanceUsers(tx, [...new Set([actor.userId, moved?.userId ?? actor.userId])]);
      const rev = revs.get(actor.userId) ?? 0;
      if (moved) await devices.dropDevice(tx, moved.userId, moved.deviceId, revs.get(moved.userId) ?? 0, false);
      const row = await devices.saveDevice(tx, wanted, rev);
      // Counted under the lock of the user's head, so that many at once cannot pass together.
      if ((await devices.listDevices(tx, [actor.userId])).length > MAX_DEVICES)
        throw new DomainError('limit_exceeded', { limit: 'devices', max: MAX_DEVICES });
      tx.afterCommit(() => revs.forEach((at, userId) => this.events.announce(new UserFeedAdvanced(userId, at))));
      return toDeviceView(row);
    });
  }

  /** Nothing happens when there is no such device. */
  remove(actor: Actor, deviceId: string): Promise<void> {
    return this.drop(actor.userId, deviceId, { failed: false });
  }

  /** The provider says the token is dead; `tokenHash` is the one it spoke of, a newer one stays. */
  bury({ userId, deviceId, tokenHash }: Pick<devices.DeviceRow, 'userId' | 'deviceId' | 'tokenHash'>): Promise<void> {
    return this.drop(userId, deviceId, { failed: true, tokenHash });
  }

  /** Sends a visible test notification to one's own device. @throws not_found, provider_unavailable */
  async test(actor: Actor, deviceId: string): Promise<void> {
    const device = await devices.findDevice(this.database, actor.userId, deviceId);
    if (!device) throw notFound();
    if (!this.providers.available(device.provider)) throw new DomainError('provider_unavailable');
    await this.work.add([{ queue: TEST_QUEUE, key: actor.userId, payload: { userId: actor.userId, deviceId } }]);
  }

  /** In clear text, for the provider alone. */
  tokenOf(device: devices.DeviceRow): string {
    return this.box.open(TOKEN, device.tokenEnc);
  }

  private drop(
    userId: string,
    deviceId: string,
    { failed, tokenHash }: { failed: boolean; tokenHash?: string },
  ): Promise<void> {
    return this.database.tx(async (tx) => {
      const known = await devices.findDevice(tx, userId, deviceId);
      if (!known || (tokenHash !== undefined && known.tokenHash !== tokenHash)) return;
      const rev = (await devices.advanceUsers(tx, [userId])).get(userId) ?? 0;
      await devices.dropDevice(tx, userId, deviceId, rev, failed);
      tx.afterCommit(() => this.events.announce(new UserFeedAdvanced(userId, rev)));
    });
  }

  private readonly changes: UserReader = async (userId, after, upTo, limit, db = this.database) => {
    const rows = await devices.changedDevices(db, userId, after, upTo, limit);
    return rows.map((row) => ({
      rev: row.rev,
      t: 'device',
      v: { ...toDeviceView(row), rev: row.rev, deleted: row.deletedAt !== null },
    }));
  };
}
