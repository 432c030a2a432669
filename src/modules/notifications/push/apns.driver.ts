import { createHash } from 'node:crypto';
import { z } from 'zod';
import { epochMs } from '../../../platform/clock/clock.js';
import { parseRetryAfter } from '../../../platform/http/outgoing-post.js';
import { type Http2Answer, Http2Sender } from './http2-sender.js';
import { parsed } from './provider-post.js';
import {
  bodyOf,
  dataOf,
  fitting,
  outcomeOf,
  type Push,
  PUSH_TIMEOUT_MS,
  PUSH_TTL_S,
  type PushDriver,
  type PushOutcome,
  unreachable,
} from './push-driver.js';

export interface ApnsOptions {
  /** https://api.push.apple.com, or its sandbox. */
  origin: string;
  /** The signing key, PEM. */
  key: string;
  keyId: string;
  teamId: string;
  /** Bundle id of the app. */
  topic: string;
  timeoutMs?: number;
  /** PEM of the authority to believe instead of the usual ones. */
  ca?: string;
}

const MAX_BYTES = 4096;
const COLLAPSE_MAX = 64;
/** Apple takes a token for an hour, and no new one within 20 minutes. */
const TOKEN_LIFE_MS = 50 * 60_000;
const TOKEN_REST_MS = 20 * 60_000;

const failure = z.object({ reason: z.string() });
const deadReasons = new Set(['Unregistered', 'ExpiredToken', 'BadDeviceToken']);
const tokenReasons = new Set(['ExpiredProviderToken', 'InvalidProviderToken', 'MissingProviderToken']);

/** Apple's push service over HTTP/2 with token authentication. */
export class ApnsPush implements PushDriver {
  readonly name = 'apns';
  private readonly sender: Http2Sender;
  private signed: { token: Promise<string>; at: number } | undefined;

  constructor(private readonly options: ApnsOptions) {
    this.sender = new Http2Sender(options.origin, options.ca);
  }

  async send(token: string, push: Push): Promise<PushOutcome> {
    // It becomes part of a path.
    if (!/^[0-9a-f]{1,200}$/i.test(token)) return { result: 'dead', status: 'BadDeviceToken' };
    try {
      const headers = { ...headersOf(push, this.options.topic), authorization: `bearer ${await this.jwt()}` };
      const body = fitting(push, MAX_BYTES, payloadOf);
      const { timeoutMs = PUSH_TIMEOUT_MS } = this.options;
      return this.meaning(await this.sender.post(`/3/device/${token}`, headers, body, timeoutMs));
    } catch (error) {
      return unreachable(error);
    }
  }

  close(): void {
    this.sender.close();
  }

  private meaning({ status, headers, body }: Http2Answer): PushOutcome {
    if (status === 200) return { result: 'sent', status: '200' };
    const { reason } = failure.safeParse(parsed(body)).data ?? {};
    const said = reason === undefined ? String(status) : `${status} ${reason}`;
    if (reason !== undefined && tokenReasons.has(reason)) {
      // Signed anew as soon as Apple takes another one. A wrong key costs no push once it is put right.
      if (this.signed && this.signed.at + TOKEN_REST_MS < epochMs()) this.signed = undefined;
      return { result: 'retry', status: said };
    }
    if (reason !== undefined && deadReasons.has(reason)) return { result: 'dead', status: said };
    const retryAfter = headers['retry-after'];
    const afterMs = parseRetryAfter(typeof retryAfter === 'string' ? retryAfter : undefined);
    return { ...outcomeOf(status, afterMs, [410]), status: said };
  }

  private jwt(): Promise<string> {
    if (!this.signed || this.signed.at + TOKEN_LIFE_MS < epochMs()) {
      const at = epochMs();
      this.signed = { token: this.sign(at), at };
    }
    return this.signed.token;
  }

  private async sign(at: number): Promise<string> {
    const { importPKCS8, SignJWT } = await import('jose');
    const { key, keyId, teamId } = this.options;
    return new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: keyId })
      .setIssuer(teamId)
      .setIssuedAt(Math.floor(at / 1000))
      .sign(await importPKCS8(key, 'ES256'));
  }
}

function headersOf({ id, kind, collapseKey }: Push, topic: string): Record<string, string> {
  const shown = kind === 'notify';
  return {
    'content-type': 'application/json',
    'apns-topic': topic,
    'apns-id': uuidOf(id),
    'apns-push-type': shown ? 'alert' : 'background',
    'apns-priority': shown ? '10' : '5',
    'apns-expiration': String(Math.floor(epochMs() / 1000) + PUSH_TTL_S),
    ...(shown ? { 'apns-collapse-id': collapseIdOf(collapseKey) } : {}),
  };
}

function payloadOf(push: Push): string {
  const { kind, title, badge, conversationId } = push;
  const shown = kind === 'notify';
  const aps = {
    ...(badge === null ? {} : { badge }),
    ...(shown
      ? {
          alert: { ...(title === null ? {} : { title }), body: bodyOf(push) },
          sound: 'default',
          ...(conversationId === null ? {} : { 'thread-id': conversationId }),
        }
      : { 'content-available': 1 }),
  };
  return JSON.stringify({ aps, ...dataOf(push) });
}

const collapseIdOf = (key: string): string =>
  Buffer.byteLength(key) <= COLLAPSE_MAX ? key : createHash('sha256').update(key).digest('hex');

/** Apple wants a UUID; repeats of one push have the same. */
function uuidOf(id: string): string {
  const hex = createHash('sha256').update(id).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
