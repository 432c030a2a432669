import { z } from 'zod';
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

const MAX_BYTES = 4096;

const verdict = z.discriminatedUnion('status', [
  z.object({ status: z.literal('ok'), id: z.string().optional() }),
  z.object({ status: z.literal('error'), details: z.object({ error: z.string() }).partial().optional() }),
]);
type Verdict = z.output<typeof verdict>;
const tickets = z.object({ data: z.tuple([verdict]) });
const receipts = z.object({ data: z.record(z.string(), verdict) });

/**
 * Expo's push service (docs.expo.dev/push-notifications/sending-notifications). Its first answer is a ticket; whether the
 * device still exists often stands only in the receipt that follows.
 */
export class ExpoPush implements PushDriver {
  readonly name = 'expo';

  constructor(
    private readonly accessToken: string,
    private readonly origin: string,
    private readonly timeoutMs = PUSH_TIMEOUT_MS,
  ) {}

  async send(token: string, push: Push): Promise<PushOutcome> {
    try {
      const answer = await this.post(
        'send',
        fitting(push, MAX_BYTES, (fit) => JSON.stringify([messageOf(token, fit)])),
      );
      if (answer.status !== 200) return outcomeOf(answer.status, answer.retryAfterMs, []);
      return meaning(understood(tickets, answer).data[0]);
    } catch (error) {
      return unreachable(error);
    }
  }

  async confirm(receipt: string): Promise<PushOutcome | undefined> {
    try {
      const answer = await this.post('getReceipts', JSON.stringify({ ids: [receipt] }));
      if (answer.status !== 200) return outcomeOf(answer.status, answer.retryAfterMs, []);
      const found = understood(receipts, answer).data[receipt];
      return found && meaning(found);
    } catch (error) {
      return unreachable(error);
    }
  }

  private post(method: 'send' | 'getReceipts', body: string): Promise<ProviderAnswer> {
    const headers = {
      Accept: 'application/json',
      'Content-Type': 'application/json',
      Authorization: `Bearer ${this.accessToken}`,
    };
    const url = `${this.origin}/--/api/v2/push/${method}`;
    return postToProvider(url, headers, body, AbortSignal.timeout(this.timeoutMs));
  }
}

function understood<Schema extends z.ZodType>(schema: Schema, { body }: ProviderAnswer): z.output<Schema> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new ProviderError('malformed_answer');
}

function meaning(found: Verdict): PushOutcome {
  if (found.status === 'ok')
    return { result: 'sent', status: 'ok', ...(found.id === undefined ? {} : { receipt: found.id }) };
  const status = found.details?.error ?? 'error';
  switch (status) {
    case 'DeviceNotRegistered':
      return { result: 'dead', status };
    case 'MessageTooBig':
      return { result: 'refused', status };
    default:
      // Too many at once, or credentials that somebody will put right.
      return { result: 'retry', status };
  }
}

function messageOf(to: string, push: Push): object {
  const { kind, title, badge, collapseKey } = push;
  const common = {
    to,
    data: dataOf(push),
    ttl: PUSH_TTL_S,
    ...(badge === null ? {} : { badge }),
  };
  if (kind === 'clear') return { ...common, _contentAvailable: true, priority: 'normal' };
  return {
    ...common,
    ...(title === null ? {} : { title }),
    body: bodyOf(push),
    sound: 'default',
    priority: 'high',
    // The one is iOS's word for it, the other Android's.
    collapseId: collapseKey,
    tag: collapseKey,
  };
}
