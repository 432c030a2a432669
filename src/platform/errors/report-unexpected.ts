import { createHash } from 'node:crypto';
import { epochMs } from '../clock/clock.js';
import type { Log } from '../logging/log.js';
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
  if (error.code !== 'internal_error') return;
  const cause = error.cause instanceof Error ? error.cause : new Error(String(error.cause));
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
  log.error('error.unexpected', { ...context, fingerprint, count: entry.count, err: cause });
}
