import { createHash } from 'node:crypto';
import { postOutgoing, PrivateAddressError } from '../../../platform/http/outgoing-post.js';
import { outcomeOf, type Push, type PushDriver, type PushOutcome, unreachable } from './push-driver.js';

export interface Vapid {
  /** mailto: or https: */
  subject: string;
  publicKey: string;
  privateKey: string;
}

const TTL_S = 24 * 3600;

/** Web Push (RFC 8030, 8291, 8292). The endpoint is the browser's word, so it is posted to with the guard on. */
export class WebPush implements PushDriver {
  readonly name = 'webpush';

  constructor(
    private readonly vapid: Vapid,
    private readonly allowPrivate: boolean,
  ) {}

  async send(token: string, { id, kind, userId: _userId, deviceId: _deviceId, ...data }: Push): Promise<PushOutcome> {
    const { default: webpush } = await import('web-push');
    try {
      const request = webpush.generateRequestDetails(
        JSON.parse(token) as never,
        JSON.stringify({ id, kind, ...data }),
        {
          vapidDetails: this.vapid,
          TTL: TTL_S,
          urgency: kind === 'notify' ? 'high' : 'low',
          topic: topicOf(data.collapseKey),
          contentEncoding: 'aes128gcm',
        },
      );
      const answer = await postOutgoing({
        url: request.endpoint,
        headers: request.headers as Record<string, string>,
        body: request.body,
        allowPrivate: this.allowPrivate,
      });
      return outcomeOf(answer.status, answer.retryAfterMs, [404, 410]);
    } catch (error) {
      if (error instanceof PrivateAddressError) return { result: 'refused', status: 'private_address' };
      return unreachable(error);
    }
  }
}

/** At most 32 characters of base64url (RFC 8030, 5.4); what waits at the push service under one topic is replaced. */
const topicOf = (collapseKey: string): string =>
  createHash('sha256').update(collapseKey).digest('base64url').slice(0, 32);
