import { setTimeout as delay } from 'node:timers/promises';

/** Sleeps; rejects with the signal's reason when it aborts first. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** What the promise settles to; rejects with the signal's reason when it aborts first. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: abort, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([promise, abort]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Full-jitter exponential backoff (Brooker, "Exponential Backoff And Jitter"): uniform in [floor, min(cap, base * 2^attempt)]. */
export function backoff(attempt: number, limits: { base: number; floor: number; cap: number }): number {
  const ceiling = Math.max(limits.floor, Math.min(limits.cap, limits.base * 2 ** attempt));
  return limits.floor + Math.random() * (ceiling - limits.floor);
}
