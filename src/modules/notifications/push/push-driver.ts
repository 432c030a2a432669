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
  | { result: 'sent'; status: string }
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

/** A failure on the way to the provider. */
export const unreachable = (error: unknown): PushOutcome => {
  const { code, name } = error as Error & { code?: unknown };
  return { result: 'retry', status: typeof code === 'string' ? code : name };
};
