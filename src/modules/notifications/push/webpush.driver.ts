import { createHash } from 'node:crypto';
import { postOutgoing, PrivateAddressError } from '../../../platform/http/outgoing-post.js';
import {
  fitting,
  outcomeOf,
  type Push,
  PUSH_TIMEOUT_MS,
  PUSH_TTL_S,
  type PushDriver,
  type PushOutcome,
  unreachable,
} from './push-driver.js';

export interface Vapid {
  /** mailto: or https: */
  subject: string;
  publicKey: string;
  privateKey: string;
}

/** A push service takes 4096 bytes (RFC 8291, 4); 103 of them are the header, the padding's end and the tag. */
const MAX_BYTES = 3993;

/** Web Push (RFC 8030, 8291, 8292). The endpoint is the browser's word, so it is posted to with the guard on. */
export class WebPush implements PushDriver {
  readonly name = 'webpush';

  constructor(
    private readonly vapid: Vapid,
    private readonly allowPrivate: boolean,
    private readonly timeoutMs = PUSH_TIMEOUT_MS,
  ) {}

  async send(token: string, push: Push): Promise<PushOutcome> {
    const { default: webpush } = await import('web-push');
    try {
      const request = webpush.generateRequestDetails(JSON.parse(token) as never, fitting(push, MAX_BYTES, payloadOf), {
        vapidDetails: this.vapid,
        TTL: PUSH_TTL_S,
        urgency: push.kind === 'notify' ? 'high' : 'low',
        topic: topicOf(push.collapseKey),
        contentEncoding: 'aes128gcm',
      });
      const answer = await postOutgoing({
        url: request.endpoint,
        headers: request.headers as Record<string, string>,
        body: request.body,
        allowPrivate: this.allowPrivate,
        timeoutMs: this.timeoutMs,
      });
      return outcomeOf(answer.status, answer.retryAfterMs, [404, 410]);
    } catch (error) {
      if (error instanceof PrivateAddressError) return { result: 'refused', status: 'private_address' };
      return unreachable(error);
    }
  }
}

const payloadOf = ({ userId: _userId, deviceId: _deviceId, ...data }: Push): string => JSON.stringify(data);

/** At most 32 characters of base64url (RFC 8030, 5.4); what waits at the push service under one topic is replaced. */
const topicOf = (collapseKey: string): string =>
  createHash('sha256').update(collapseKey).digest('base64url').slice(0, 32);
