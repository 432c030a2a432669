import { setTimeout as delay } from 'node:timers/promises';
import { jitter } from '../../platform/clock/clock.js';
import type { Config } from '../../platform/config/config.js';
import { envelopeOf, signWebhook } from '../../platform/http/webhook.js';
import { type OtpMessage, OtpSender } from './otp-sender.js';

const TRIES = 3;
const TIMEOUT_MS = 5000;
const BACKOFF_MS = 500;

/** Hands codes to the operator's own sender of mail and text messages. */
export class WebhookOtpSender extends OtpSender {
  readonly usable = true;

  constructor(private readonly config: Config) {
    super();
  }

  async send({ identifier, purpose, code, expiresAt }: OtpMessage): Promise<void> {
    // One envelope for all tries, so that the receiver can drop repeats by its id.
    const envelope = envelopeOf('otp.send', { identifier, purpose, code, expiresAt: expiresAt.toISOString() });
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.post(envelope);
      if (outcome === 'delivered') return;
      if (attempt === TRIES) throw new Error(`the OTP webhook answered ${outcome}`);
      await delay(BACKOFF_MS * 2 ** (attempt - 1) + jitter(BACKOFF_MS), undefined, { ref: false });
    }
  }

  inbox(): undefined {
    return undefined;
  }

  private async post(envelope: ReturnType<typeof envelopeOf>): Promise<string> {
    const { body, headers } = signWebhook(envelope, this.config.OTP_WEBHOOK_SECRET);
    try {
      const response = await fetch(this.config.OTP_WEBHOOK_URL ?? '', {
        method: 'POST',
        body,
        headers,
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      return response.ok ? 'delivered' : String(response.status);
    } catch (error) {
      return error instanceof Error ? error.name : 'nothing';
    }
  }
}
