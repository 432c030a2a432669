import { createHash } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../../../platform/database/database.service.js';
import { Log } from '../../../platform/logging/log.js';
import { DelayedWork, type DueWork, RetryLater } from '../../../platform/queue/delayed-work.js';
import { findDevice } from '../devices.repository.js';
import { DevicesService } from '../devices.service.js';
import type { Push } from './push-driver.js';
import { PushProviders } from './push-providers.service.js';

const QUEUE = 'push.receipt';
/** What Expo advises. */
const AFTER_MS = 15 * 60_000;

/** Asks providers that answer twice what became of a push in the end: often only then do they know that a token is dead. */
@Injectable()
export class ReceiptsService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly work: DelayedWork,
    private readonly devices: DevicesService,
    private readonly providers: PushProviders,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.providers.onReceipt((provider, token, push, receipt) => this.remember(provider, token, push, receipt));
    this.work.consume({ queue: QUEUE, concurrency: 4, handle: (work) => this.ask(work) });
  }

  private remember(provider: string, token: string, { userId, deviceId }: Push, receipt: string): Promise<void> {
    const payload = { provider, userId, deviceId, receipt, token: fingerprint(token) };
    return this.work.add([{ queue: QUEUE, key: userId, payload, delayMs: AFTER_MS }]);
  }

  private async ask({ payload, last }: DueWork): Promise<void> {
    const [provider, userId, deviceId] = [payload['provider'], payload['userId'], payload['deviceId']].map(String);
    if (provider === undefined || userId === undefined || deviceId === undefined) return;
    const outcome = await this.providers.confirm(provider, String(payload['receipt']));
    // Not known yet; in the end never, since receipts are kept for a day.
    if (!outcome && !last) throw new RetryLater(AFTER_MS, 'no receipt yet');
    if (!outcome || outcome.result === 'sent') return;
    this.log.info('push.undelivered', { provider, status: outcome.status });
    if (outcome.result === 'retry' && !last)
      throw new RetryLater(outcome.afterMs ?? AFTER_MS, `provider: ${outcome.status}`);
    if (outcome.result !== 'dead') return;
    const device = await findDevice(this.database, userId, deviceId);
    // Another token by now, and nothing was said of that one.
    if (device && fingerprint(this.devices.tokenOf(device)) === payload['token']) await this.devices.bury(device);
  }
}

/** Tells tokens apart without being one. */
const fingerprint = (token: string): string => createHash('sha256').update(token).digest('base64url');
