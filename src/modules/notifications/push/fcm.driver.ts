import { z } from 'zod';
import { epochMs } from '../../../platform/clock/clock.js';
import type { ServiceAccount } from '../../../platform/config/settings.js';
import { postToProvider, type ProviderAnswer } from './provider-post.js';
import {
  bodyOf,
  dataOf,
  fitting,
  outcomeOf,
  ProviderError,
  type Push,
  PUSH_TIMEOUT_MS,
  PUSH_TTL_S,
  type PushDriver,
  type PushOutcome,
  unreachable,
} from './push-driver.js';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ASSERTION_S = 3600;
/** A token is replaced this long before it ends. */
const MARGIN_MS = 60_000;
const MAX_BYTES = 4096;

const tokenAnswer = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() });
const sendAnswer = z.object({ name: z.string() });
const failure = z.object({
  error: z.object({
    status: z.string().optional(),
    details: z
      .array(
        z.object({
          errorCode: z.string().optional(),
          fieldViolations: z.array(z.object({ field: z.string().optional() })).optional(),
        }),
      )
      .default([]),
  }),
});

/** Firebase Cloud Messaging, HTTP v1, signed in as a service account (RFC 7523). */
export class FcmPush implements PushDriver {
  readonly name = 'fcm';
  private access: Promise<{ token: string; until: number }> | undefined;

  constructor(
    private readonly account: ServiceAccount,
    private readonly origin: string,
    private readonly timeoutMs = PUSH_TIMEOUT_MS,
  ) {}

  async send(token: string, push: Push): Promise<PushOutcome> {
    const signal = AbortSignal.timeout(this.timeoutMs);
    try {
      const headers = {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${await this.accessToken(signal)}`,
      };
      const url = `${this.origin}/v1/projects/${encodeURIComponent(this.account.project_id)}/messages:send`;
      const body = fitting(push, MAX_BYTES, (fit) => JSON.stringify({ message: messageOf(token, fit) }));
      return this.meaning(await postToProvider(url, headers, body, signal));
    } catch (error) {
      return unreachable(error);
    }
  }

  private meaning({ status, retryAfterMs, body }: ProviderAnswer): PushOutcome {
    if (status === 200) {
      if (!sendAnswer.safeParse(body).success) throw new ProviderError('malformed_answer');
      return { result: 'sent', status: '200' };
    }
    const { error } = failure.safeParse(body).data ?? {};
    const code = error?.details.find(({ errorCode }) => errorCode !== undefined)?.errorCode ?? error?.status;
    const said = code === undefined ? String(status) : `${status} ${code}`;
    const fields = error?.details.flatMap(({ fieldViolations = [] }) => fieldViolations) ?? [];
    if (code === 'UNREGISTERED' || fields.some(({ field }) => field === 'message.token'))
      return { result: 'dead', status: said };
    if (status === 401) {
      // The next attempt signs in anew.
      this.access = undefined;
      return { result: 'retry', status: said };
    }
    return { ...outcomeOf(status, retryAfterMs, []), status: said };
  }

  /** One exchange for all who wait for it. */
  private async accessToken(signal: AbortSignal): Promise<string> {
    const access = (this.access ??= this.signIn(signal));
    try {
      const { token, until } = await access;
      if (until > epochMs()) return token;
      if (this.access === access) this.access = undefined;
    } catch (error) {
      if (this.access === access) this.access = undefined;
      throw error;
    }
    return this.accessToken(signal);
  }

  private async signIn(signal: AbortSignal): Promise<{ token: string; until: number }> {
    const { importPKCS8, SignJWT } = await import('jose');
    const { client_email: issuer, private_key: pem, token_uri: url } = this.account;
    const now = Math.floor(epochMs() / 1000);
    const assertion = await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(url)
      .setIssuedAt(now)
      .setExpirationTime(now + ASSERTION_S)
      .sign(await importPKCS8(pem, 'RS256'));
    const form = new URLSearchParams({ grant_type: GRANT, assertion }).toString();
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const { status, retryAfterMs, body } = await postToProvider(url, headers, form, signal);
    if (status !== 200) throw new ProviderError(`sign_in ${status}`, retryAfterMs);
    const { data } = tokenAnswer.safeParse(body);
    if (!data) throw new ProviderError('sign_in malformed_answer');
    const lifeMs = data.expires_in * 1000;
    return { token: data.access_token, until: epochMs() + lifeMs - Math.min(MARGIN_MS, lifeMs / 2) };
  }
}

function messageOf(token: string, push: Push): object {
  const { kind, title, badge, collapseKey } = push;
  const shown = kind === 'notify';
  const aps = {
    ...(shown ? { sound: 'default' } : { 'content-available': 1 }),
    ...(badge === null ? {} : { badge }),
  };
  return {
    token,
    data: dataOf(push),
    ...(shown ? { notification: { ...(title === null ? {} : { title }), body: bodyOf(push) } } : {}),
    android: {
      priority: shown ? 'HIGH' : 'NORMAL',
      ttl: `${PUSH_TTL_S}s`,
      // What waits for a phone that is off is kept per key, and without one only the very last push is; the tag replaces
      // what is shown.
      ...(shown
        ? {
            collapse_key: collapseKey,
            notification: { tag: collapseKey, ...(badge === null ? {} : { notification_count: badge }) },
          }
        : {}),
    },
    apns: {
      headers: {
        'apns-priority': shown ? '10' : '5',
        'apns-push-type': shown ? 'alert' : 'background',
        ...(shown ? { 'apns-collapse-id': collapseKey } : {}),
      },
      payload: { aps },
    },
    webpush: {
      headers: { TTL: String(PUSH_TTL_S), Urgency: shown ? 'high' : 'low' },
      ...(shown ? { notification: { tag: collapseKey } } : {}),
    },
  };
}
