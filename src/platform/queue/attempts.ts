import { jitter } from '../clock/clock.js';
import { spanned, splitTrace } from '../logging/tracing.js';
import { type DueWork, RetryLater, type Worker } from './delayed-work.js';

export const MAX_ATTEMPTS = 10;
/** A worker that dies leaves its work claimed this long, in s. Handlers take less. */
export const CLAIM_S = 60;
const MAX_BACKOFF_MS = 300_000;

/** One attempt, as part of the trace in which the work came about. */
export function handled(worker: Worker, work: DueWork): Promise<void> {
  const { traceparent, payload } = splitTrace(work.payload);
  return spanned(
    {
      name: `work ${worker.queue}`,
      kind: 'consumer',
      facts: { 'work.queue': worker.queue, 'work.attempt': work.attempt },
      traceparent,
    },
    () => worker.handle({ ...work, payload }),
  );
}

/** Until the next attempt, when this one has failed. */
export function pauseAfter(error: unknown, attempt: number): number {
  if (error instanceof RetryLater) return error.afterMs;
  const backoff = Math.min(2 ** attempt * 1000, MAX_BACKOFF_MS);
  return backoff / 2 + jitter(backoff);
}

/** For the dead letter. */
export const reasonOf = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 500) : 'failed';
