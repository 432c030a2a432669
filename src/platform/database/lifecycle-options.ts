import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Config } from '../config/config.js';
import { packageRoot } from '../config/package-root.js';
import { LifecycleError, messageOf } from './lifecycle/errors.js';
import { type Manifest, parseManifest } from './lifecycle/manifest.js';
import { loadSeeds } from './lifecycle/seeds.js';
import type { LifecycleOptions } from './lifecycle/types.js';

/** The same options for boot and command line. */
export function lifecycleOptions(
  config: Config,
  { url, directUrl }: { url: string; directUrl: string },
  appVersion: string,
): LifecycleOptions {
  const prisma = join(packageRoot(), 'prisma');
  return {
    connectionString: directUrl,
    urlSource: config.DATABASE_DIRECT_URL ? 'DATABASE_DIRECT_URL' : 'DATABASE_URL',
    ...(url === directUrl ? {} : { appConnectionString: url }),
    schema: config.DB_SCHEMA,
    migrationsDir: join(prisma, 'migrations'),
    seeds: loadSeeds(join(prisma, 'seeds'), { 'parley.backup_location': config.BACKUP_LOCATION }),
    manifest: readManifest(join(prisma, 'schema.manifest.json')),
    appVersion,
    settings: {
      migrate: config.DB_MIGRATE,
      adopt: config.DB_ADOPT,
      repair: config.DB_REPAIR,
      ahead: config.DB_AHEAD,
      outOfOrder: config.DB_OUT_OF_ORDER,
      drift: config.DB_DRIFT,
      pooler: config.DB_POOLER,
      deadlineMs: config.BOOT_DEADLINE * 1000,
      lockTimeoutMs: config.BOOT_LOCK_TIMEOUT_MS,
      connectDelayMs: config.DB_CONNECT_DELAY_MS,
      connectTimeoutMs: config.DB_CONNECT_TIMEOUT_MS,
      connectMaxRetries: config.DB_CONNECT_MAX_RETRIES,
      blockedHoldMs: config.BOOT_BLOCKED_HOLD_MS,
      failHoldMs: config.BOOT_FAIL_HOLD_MS,
      migrationLockTimeoutMs: config.MIGRATE_LOCK_TIMEOUT_MS,
      migrationLockRetries: config.MIGRATE_LOCK_RETRIES,
      migrationStatementTimeoutMs: config.MIGRATE_STATEMENT_TIMEOUT_MS,
    },
  };
}

/** What this build expects of a database. Without it nothing could be verified, so nothing starts. */
function readManifest(file: string): Manifest {
  try {
    return parseManifest(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new LifecycleError('config', `the schema manifest cannot be used: ${messageOf(cause)}`, {
      cause,
      hint: `Put back ${file} as it was shipped; in a clone, npm run manifest makes it anew.`,
    });
  }
}
