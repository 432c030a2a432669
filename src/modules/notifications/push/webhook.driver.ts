import { envelopeOf, signWebhook } from '../../../platform/http/webhook.js';
import { postOutgoing } from '../../../platform/http/outgoing-post.js';
import {
  outcomeOf,
  type Push,
  PUSH_TIMEOUT_MS,
  type PushDriver,
  type PushOutcome,
  unreachable,
} from './push-driver.js';

/** Hands pushes to the operator's own sender; the URL is of the configuration and trusted. */
export class WebhookPush implements PushDriver {
  readonly name = 'webhook';

  constructor(
    private readonly url: string,
    private readonly secret: string | undefined,
    private readonly timeoutMs = PUSH_TIMEOUT_MS,
  ) {}

  async send(token: string, { id, kind, ...data }: Push): Promise<PushOutcome> {
    const { body, headers } = signWebhook(envelopeOf(`push.${kind}`, { ...data, token }, id), this.secret);
    try {
      const answer = await postOutgoing({
        url: this.url,
        headers,
        body,
        allowPrivate: true,
        timeoutMs: this.timeoutMs,
      });
      return outcomeOf(answer.status, answer.retryAfterMs, [410]);
    } catch (error) {
      return unreachable(error);
    }
  }
}
