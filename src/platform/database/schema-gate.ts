import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Config } from '../config/config.js';
import { packageRoot } from '../config/package-root.js';
import { registerErrorTranslator } from '../errors/translate-error.js';
import { BackgroundWork } from '../lifecycle/background-work.js';
import { BootState } from '../lifecycle/boot-state.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { DatabaseMonitor } from './database-monitor.js';
import { translateDatabaseError } from './database-error.js';
import { DatabaseNotVerifiedError, DatabaseService } from './database.service.js';
import { runLifecycle } from './lifecycle/run-lifecycle.js';
import { loadSeeds } from './lifecycle/seeds.js';
import { parseManifest } from './lifecycle/manifest.js';
import type { LifecycleOptions } from './lifecycle/types.js';
import { createPool } from './pool.js';

export const DATABASE_CONTEXT = Symbol('DATABASE_CONTEXT');

/** What the entry file knows about the database before Nest exists. */
export interface DatabaseContext {
  /** For the application pool. */
  url: string;
  /** For the lifecycle, LISTEN and leases. */
  directUrl: string;
  /** Aborted by a stop signal during the boot. */
  signal: AbortSignal;
  /** Opened while the application is still loading. */
  connection?: LifecycleOptions['connection'];
  /** Stops the embedded server, last of all. */
  stopServer?: () => Promise<void>;
}

/** Runs the schema lifecycle, then opens the gate: the one hook that stands between the process and its database. */
@Injectable()
export class SchemaGate implements OnModuleInit, OnApplicationShutdown {
  constructor(
    @Inject(DATABASE_CONTEXT) private readonly context: DatabaseContext,
    private readonly config: Config,
    private readonly boot: BootState,
    private readonly background: BackgroundWork,
    private readonly database: DatabaseService,
    private readonly monitor: DatabaseMonitor,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    registerErrorTranslator(translateDatabaseError);
    this.background.requireBeforeStart(() => {
      if (!this.database.verified) throw new DatabaseNotVerifiedError();
    });
    const options = lifecycleOptions(this.config, this.context, this.boot.version);
    const result = await runLifecycle({
      ...options,
      signal: this.context.signal,
      ...(this.context.connection ? { connection: this.context.connection } : {}),
      onPhase: (phase, detail) => {
        if (phase !== 'verified') this.boot.enter(phase, { ...detail });
      },
      report: ({ level, event, ...fields }) => this.log[level](event, fields),
    });
    this.boot.enter('starting');
    const pool = createPool(
      this.config,
      { connectionString: this.context.url, applicationName: `parley/app/${this.boot.version}/e${result.epoch}`, pooler: result.pooler },
      this.log,
    );
    this.database.open(pool, { prepared: !result.pooler });
    await this.database.ping();
    metrics.schemaReady.set(1);
    metrics.schemaInfo.set({ fingerprint: result.fingerprint ?? '', head: result.head ?? '', epoch: String(result.epoch) }, 1);
    this.monitor.start(this.context.directUrl);
    this.log.info('boot.database.ready', {}, 'DATABASE INITIALIZATION COMPLETED - SCHEMA IS READY');
  }

  /** After every feature module's hook: Nest runs shutdown hooks in reverse order of start. Tolerates a boot that failed. */
  async onApplicationShutdown(): Promise<void> {
    await this.monitor.stop();
    await this.database.close();
    await this.context.stopServer?.();
  }
}

/** The same options for boot and command line. */
export function lifecycleOptions(
  config: Config,
  { url, directUrl }: Pick<DatabaseContext, 'url' | 'directUrl'>,
  appVersion: string,
): LifecycleOptions {
  const prisma = join(packageRoot(), 'prisma');
  const manifest = join(prisma, 'schema.manifest.json');
  return {
    connectionString: directUrl,
    urlSource: config.DATABASE_DIRECT_URL ? 'DATABASE_DIRECT_URL' : 'DATABASE_URL',
    ...(url === directUrl ? {} : { appConnectionString: url }),
    schema: config.DB_SCHEMA,
    migrationsDir: join(prisma, 'migrations'),
    seeds: loadSeeds(join(prisma, 'seeds')),
    ...(existsSync(manifest) ? { manifest: parseManifest(readFileSync(manifest, 'utf8')) } : {}),
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
      connectMaxRetries: config.DB_CONNECT_MAX_RETRIES,
      blockedHoldMs: config.BOOT_BLOCKED_HOLD_MS,
      failHoldMs: config.BOOT_FAIL_HOLD_MS,
      migrationLockTimeoutMs: config.MIGRATE_LOCK_TIMEOUT_MS,
      migrationLockRetries: config.MIGRATE_LOCK_RETRIES,
      migrationStatementTimeoutMs: config.MIGRATE_STATEMENT_TIMEOUT_MS,
    },
  };
}
