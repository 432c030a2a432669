/** What a device is to show, or with `clear` to take away. */
export interface Push {
  /** Stable across repeats, so that the receiver can drop them. */
  id: string;
  kind: 'notify' | 'clear';
  messageId: string | null;
  conversationId: string | null;
  seq: number | null;
  userId: string;
  deviceId: string;
  title: string | null;
  body: string | null;
  badge: number | null;
  /** A later push with the same key takes the place of this one on the screen. */
  collapseKey: string;
}

/** What became of an attempt; `status` is the provider's own word, for the ledger. */
export type PushOutcome =
  /** Accepted. With a `receipt` the provider tells later whether it was delivered. */
  | { result: 'sent'; status: string; receipt?: string }
  /** The token is good for nothing any more. */
  | { result: 'dead'; status: string }
  /** Another attempt may succeed. */
  | { result: 'retry'; status: string; afterMs?: number | undefined }
  /** No attempt will. */
  | { result: 'refused'; status: string };

/** One way to reach devices. */
export interface PushDriver {
  readonly name: string;
  /** `token` is what the device registered with. Never rejects; at most 5 s. */
  send(token: string, push: Push): Promise<PushOutcome>;
  /** What became of what was sent with this receipt; undefined while nobody knows. Never rejects; at most 5 s. */
  confirm?(receipt: string): Promise<PushOutcome | undefined>;
  close?(): void;
}

/** Longest attempt, whatever it consists of. */
export const PUSH_TIMEOUT_MS = 5000;
/** How long a provider keeps a push for a device that is off. */
export const PUSH_TTL_S = 24 * 3600;

/** What an app needs to find the message; ids and kinds, as strings, since some providers take nothing else. */
export const dataOf = ({ id, kind, messageId, conversationId, seq }: Push): Record<string, string> => ({
  id,
  kind,
  ...(messageId === null ? {} : { messageId }),
  ...(conversationId === null ? {} : { conversationId }),
  ...(seq === null ? {} : { seq: String(seq) }),
});

/** Shown where the reader wants no preview: without any text a phone shows nothing. */
export const bodyOf = ({ body }: Push): string => body ?? 'New message';

/** A push as its provider takes it, in at most `maxBytes`: a body that is too long is cut, never within a character. */
export function fitting(push: Push, maxBytes: number, encode: (push: Push) => string): string {
  let encoded = encode(push);
  for (let body = Array.from(push.body ?? ''); Buffer.byteLength(encoded) > maxBytes && body.length > 0;) {
    body = body.slice(0, Math.floor(body.length * 0.9));
    encoded = encode({ ...push, body: `${body.join('')}…` });
  }
  return encoded;
}

/** What an HTTP status means, the same with most providers. */
export function outcomeOf(status: number, afterMs: number | undefined, dead: readonly number[]): PushOutcome {
  const word = String(status);
  if (status >= 200 && status < 300) return { result: 'sent', status: word };
  if (dead.includes(status)) return { result: 'dead', status: word };
  if (status === 408 || status === 425 || status === 429 || status >= 500)
    return { result: 'retry', status: word, afterMs };
  return { result: 'refused', status: word };
}

/** The provider answered, and it is no answer to what was asked; another attempt may do better. */
export class ProviderError extends Error {
  constructor(
    readonly code: string,
    readonly afterMs?: number,
  ) {
    super(`provider: ${code}`);
    this.name = 'ProviderError';
  }
}

/** A failure on the way to the provider. */
export const unreachable = (error: unknown): PushOutcome => {
  // `fetch` and HTTP/2 hide what went wrong one level down.
  const { code, name, afterMs } = ((error as Error).cause ?? error) as Error & { code?: unknown; afterMs?: number };
  return { result: 'retry', status: typeof code === 'string' ? code : name, afterMs };
};
