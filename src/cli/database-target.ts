import { join } from 'node:path';
import { type Config, loadConfig } from '../platform/config/config.js';
import { packageVersion } from '../platform/config/package-root.js';
import { lifecycleOptions } from '../platform/database/lifecycle-options.js';
import type { LifecycleOptions, ReportedEvent } from '../platform/database/lifecycle/types.js';

export interface DatabaseTarget {
  config: Config;
  options: LifecycleOptions;
}

/**
 * The database the environment names, or the embedded one, for as long as `work` runs. Progress goes to `note`, one line
 * per event.
 */
export async function withDatabase<Result>(
  { note }: { note: (text: string) => void },
  work: (target: DatabaseTarget) => Promise<Result>,
  overrides: LifecycleOptions['settings'] = {},
): Promise<Result> {
  const config = await loadConfig(process.env);
  const stop = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => stop.abort(signal);
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  const embedded = config.DATABASE_URL ? undefined : await startEmbeddedServer(config);
  try {
    const url = config.DATABASE_URL ?? embedded?.url ?? '';
    const base = lifecycleOptions(config, { url, directUrl: config.DATABASE_DIRECT_URL ?? url }, packageVersion());
    const settings = { ...base.settings, blockedHoldMs: 0, failHoldMs: 0, ...overrides };
    return await work({
      config,
      options: { ...base, settings, signal: stop.signal, report: (event) => describe(event, note) },
    });
  } finally {
    await embedded?.stop();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

async function startEmbeddedServer(config: Config) {
  const { startEmbedded } = await import('../platform/database/embedded-postgres.js');
  return startEmbedded({ dir: embeddedDirectory(config), log: () => undefined });
}

/** Where the embedded server of this installation has its data. */
export const embeddedDirectory = (config: Config): string => config.EMBEDDED_PG_DIR ?? join(config.DATA_DIR, 'pg');

/** One event as a line of progress; what the command's own result says anyway is left out. */
function describe(event: ReportedEvent, note: (text: string) => void): void {
  switch (event.event) {
    case 'db.connect_retry':
      return note(
        `waiting for the database (${event.class}, attempt ${event.attempt}): ${event.error}${
          event.hint && event.attempt % 5 === 0 ? `\n  ${event.hint}` : ''
        }`,
      );
    case 'lock.waiting':
      return note(
        `waiting for the migration lock, held by ${event.holders.map((h) => `${h.application} (pid ${h.pid})`).join(', ') || 'nobody'}`,
      );
    case 'migration.started':
      return note(`[${event.i}/${event.n}] ${event.migration} ...`);
    case 'migration.applied':
      return note(`[${event.i}/${event.n}] ${event.migration} applied in ${Math.round(event.durationMs)} ms`);
    case 'migration.lock_retry':
      return note(
        `${event.migration}: another session is in the way (${event.code}); trying again in ${event.delayMs} ms`,
      );
    case 'seed.applied':
      return note(`seed ${event.seed} applied in ${Math.round(event.durationMs)} ms`);
    case 'schema.repaired':
      return note(event.statement);
    case 'db.warning':
      return note(`warning: ${event.warning}. ${event.hint}`);
    default:
  }
}
