import { createECDH } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { KeptSecrets } from '../../../platform/auth/kept-secrets.js';
import { Config } from '../../../platform/config/config.js';
import type { Push, PushDriver, PushOutcome } from './push-driver.js';
import { WebhookPush } from './webhook.driver.js';
import { type Vapid, WebPush } from './webpush.driver.js';

/** The drivers that are configured here. */
@Injectable()
export class PushProviders implements OnModuleInit {
  private readonly drivers = new Map<string, PushDriver>();
  private vapidPublicKey = '';

  constructor(
    private readonly config: Config,
    private readonly kept: KeptSecrets,
  ) {}

  async onModuleInit(): Promise<void> {
    const vapid = await this.vapid();
    this.vapidPublicKey = vapid.publicKey;
    this.use(new WebPush(vapid, this.config.WEBHOOK_ALLOW_PRIVATE));
    const { PUSH_WEBHOOK_URL: url, PUSH_WEBHOOK_SECRET: secret } = this.config;
    if (url !== undefined) this.use(new WebhookPush(url, secret));
  }

  available(provider: string): boolean {
    return this.drivers.has(provider);
  }

  describe(): { providers: string[]; webPush: { vapidPublicKey: string } } {
    return { providers: [...this.drivers.keys()], webPush: { vapidPublicKey: this.vapidPublicKey } };
  }

  async send(provider: string, token: string, push: Push): Promise<PushOutcome> {
    const driver = this.drivers.get(provider);
    return driver ? driver.send(token, push) : { result: 'refused', status: 'not_configured' };
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
