import { createECDH } from 'node:crypto';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { KeptSecrets } from '../../../platform/auth/kept-secrets.js';
import { Config } from '../../../platform/config/config.js';
import { Log } from '../../../platform/logging/log.js';
import type { Push, PushDriver, PushOutcome } from './push-driver.js';
import { WebhookPush } from './webhook.driver.js';
import { type Vapid, WebPush } from './webpush.driver.js';

/** Keeps what a provider promised to tell later. */
export type ReceiptKeeper = (provider: string, token: string, push: Push, receipt: string) => Promise<void>;

/** The drivers that are configured here; only those are loaded. */
@Injectable()
export class PushProviders implements OnModuleInit, OnApplicationShutdown {
  private readonly drivers = new Map<string, PushDriver>();
  private keepReceipt: ReceiptKeeper | undefined;
  private vapidPublicKey = '';

  constructor(
    private readonly config: Config,
    private readonly kept: KeptSecrets,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    const vapid = await this.vapid();
    this.vapidPublicKey = vapid.publicKey;
    this.use(new WebPush(vapid, this.config.WEBHOOK_ALLOW_PRIVATE));
    const { PUSH_WEBHOOK_URL, PUSH_WEBHOOK_SECRET, EXPO_ACCESS_TOKEN, EXPO_URL, FCM_SERVICE_ACCOUNT, FCM_URL } =
      this.config;
    if (PUSH_WEBHOOK_URL !== undefined) this.use(new WebhookPush(PUSH_WEBHOOK_URL, PUSH_WEBHOOK_SECRET));
    if (EXPO_ACCESS_TOKEN !== undefined) {
      const { ExpoPush } = await import('./expo.driver.js');
      this.use(new ExpoPush(EXPO_ACCESS_TOKEN, EXPO_URL));
    }
    if (FCM_SERVICE_ACCOUNT !== undefined) {
      const { FcmPush } = await import('./fcm.driver.js');
      this.use(new FcmPush(FCM_SERVICE_ACCOUNT, FCM_URL));
    }
    const {
      APNS_KEY: key,
      APNS_KEY_ID: keyId,
      APNS_TEAM_ID: teamId,
      APNS_TOPIC: topic,
      APNS_URL: origin,
    } = this.config;
    if (key !== undefined && keyId !== undefined && teamId !== undefined && topic !== undefined) {
      const { ApnsPush } = await import('./apns.driver.js');
      this.use(new ApnsPush({ origin, key, keyId, teamId, topic }));
    }
  }

  onApplicationShutdown(): void {
    for (const driver of this.drivers.values()) driver.close?.();
  }

  /** For the one who asks for receipts, in its `onModuleInit`. */
  onReceipt(keep: ReceiptKeeper): void {
    this.keepReceipt = keep;
  }

  available(provider: string): boolean {
    return this.drivers.has(provider);
  }

  describe(): { providers: string[]; webPush: { vapidPublicKey: string } } {
    return { providers: [...this.drivers.keys()], webPush: { vapidPublicKey: this.vapidPublicKey } };
  }

  async send(provider: string, token: string, push: Push): Promise<PushOutcome> {
    const driver = this.drivers.get(provider);
    if (!driver) return { result: 'refused', status: 'not_configured' };
    const outcome = await driver.send(token, push);
    if (outcome.result === 'sent' && outcome.receipt !== undefined)
      // It was sent: a receipt that is not kept must not send it again.
      await this.keepReceipt?.(provider, token, push, outcome.receipt).catch((error: unknown) =>
        this.log.warn('push.receipt_lost', { err: error }),
      );
    return outcome;
  }

  /** What became of a push in the end; undefined while the provider does not know. */
  async confirm(provider: string, receipt: string): Promise<PushOutcome | undefined> {
    return this.drivers.get(provider)?.confirm?.(receipt);
  }

  private use(driver: PushDriver): void {
    this.drivers.set(driver.name, driver);
  }

  /** Configured, else made at the first boot and kept: browsers subscribe to one key for good. */
  private async vapid(): Promise<Vapid> {
    const { VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY, VAPID_SUBJECT, PUBLIC_URL } = this.config;
    const secure = PUBLIC_URL?.startsWith('https:') === true ? PUBLIC_URL : undefined;
    const subject = VAPID_SUBJECT ?? secure ?? 'mailto:push@parley.invalid';
    if (VAPID_PUBLIC_KEY !== undefined && VAPID_PRIVATE_KEY !== undefined)
      return { subject, publicKey: VAPID_PUBLIC_KEY, privateKey: VAPID_PRIVATE_KEY };
    const keys = await this.kept.getOrMake('vapid', () => JSON.stringify(newVapidKeys()));
    return { subject, ...(JSON.parse(keys) as { publicKey: string; privateKey: string }) };
  }
}

/** A key pair on P-256, both halves in base64url (RFC 8292). */
function newVapidKeys(): { publicKey: string; privateKey: string } {
  const curve = createECDH('prime256v1');
  const publicKey = curve.generateKeys('base64url');
  // A private key that begins with a zero byte comes a byte short.
  const privateKey = Buffer.concat([Buffer.alloc(32), curve.getPrivateKey()])
    .subarray(-32)
    .toString('base64url');
  return { publicKey, privateKey };
}
