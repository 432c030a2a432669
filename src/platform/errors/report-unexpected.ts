import { createHash } from 'node:crypto';
import { epochMs } from '../clock/clock.js';
import type { Log } from '../logging/log.js';
import type { EventAt } from '../logging/log-events.js';
import { metrics } from '../logging/metrics.js';
import type { DomainError } from './domain-error.js';

/** One kind of defect: same error class and same place in the code. */
export interface ErrorFingerprint {
  fingerprint: string;
  name: string;
  where: string;
  count: number;
  lastSeenAt: number;
}

const seen = new Map<string, ErrorFingerprint & { loggedAt: number }>();
const MAX_FINGERPRINTS = 200;
const LOG_EVERY_MS = 60_000;

export const errorFingerprints = (): ErrorFingerprint[] =>
  [...seen.values()]
    .map(({ fingerprint, name, where, count, lastSeenAt }) => ({ fingerprint, name, where, count, lastSeenAt }))
    .toSorted((a, b) => b.lastSeenAt - a.lastSeenAt);

/** Counts a defect and logs it, at most once a minute per fingerprint. Expected refusals pass silently. */
export function reportUnexpected(log: Log, error: DomainError, context: Record<string, unknown>): void {
  if (error.code === 'internal_error') report(log, 'error.unexpected', error.cause, context);
}

/**
 * From now on what is thrown where nobody waits for it ends no process that serves: it is counted and logged like every
 * other defect. A boot still ends with its error.
 */
export function surviveDefects(log: Log): void {
  for (const event of ['unhandledRejection', 'uncaughtException'] as const)
    process.on(event, (thrown: unknown) => report(log, 'process.unhandled', thrown, { from: event }));
}

function report(log: Log, event: EventAt<'error'>, thrown: unknown, context: Record<string, unknown>): void {
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const where =
    cause.stack
      ?.split('\n')
      .find((line) => line.trimStart().startsWith('at '))
      ?.trim() ?? 'unknown';
  const fingerprint = createHash('sha256').update(`${cause.name}|${where}`).digest('hex').slice(0, 12);
  const entry = seen.get(fingerprint) ?? { fingerprint, name: cause.name, where, count: 0, lastSeenAt: 0, loggedAt: 0 };
  entry.count += 1;
  entry.lastSeenAt = epochMs();
  if (!seen.has(fingerprint) && seen.size >= MAX_FINGERPRINTS) seen.delete(seen.keys().next().value ?? '');
  seen.set(fingerprint, entry);
  metrics.unexpectedErrors.inc();
  if (entry.lastSeenAt - entry.loggedAt < LOG_EVERY_MS) return;
  entry.loggedAt = entry.lastSeenAt;
  log.error(event, { ...context, fingerprint, count: entry.count, err: cause });
}
