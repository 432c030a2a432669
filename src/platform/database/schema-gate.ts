import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Config } from '../config/config.js';
import { registerErrorTranslator } from '../errors/translate-error.js';
import { BackgroundWork } from '../lifecycle/background-work.js';
import { BootState } from '../lifecycle/boot-state.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { DatabaseMonitor } from './database-monitor.js';
import { translateDatabaseError } from './database-error.js';
import { DatabaseNotVerifiedError, DatabaseService } from './database.service.js';
import type { EarlyPool } from './early-pool.js';
import { createPool } from './pool.js';
import { isPooled } from './pooled.js';
import { SchemaGuard } from './schema-guard.js';
import { SchemaLifecycle } from './schema-lifecycle.js';

export const DATABASE_CONTEXT = Symbol('DATABASE_CONTEXT');

/** What the entry file knows about the database before Nest exists. */
export interface DatabaseContext {
  /** For the application pool. */
  url: string;
  /** For the lifecycle, LISTEN and leases. */
  directUrl: string;
  /** Aborted by a stop signal during the boot. */
  signal: AbortSignal;
  /** Begun while the application was still loading; without one the gate begins it. */
  lifecycle?: SchemaLifecycle;
  /** Connected while the application was loading; without one the gate makes its own. */
  pool?: EarlyPool;
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
    private readonly guard: SchemaGuard,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    registerErrorTranslator(translateDatabaseError);
    this.background.requireBeforeStart(() => {
      if (!this.database.verified) throw new DatabaseNotVerifiedError();
    });
    const { context, config, log } = this;
    const lifecycle =
      context.lifecycle ??
      new SchemaLifecycle({ config, log, version: this.boot.version, urls: context, signal: context.signal });
    const result = await lifecycle.proceed((phase, detail) => {
      if (phase !== 'verified') this.boot.enter(phase, { ...detail });
    });
    this.boot.enter('starting');
    const { patience } = lifecycle;
    const { url, directUrl } = context;
    const suspect = result.pooler || url !== directUrl;
    const pooler = suspect && (await patience(() => isPooled(url, config.DB_SCHEMA, config.DB_CONNECT_TIMEOUT_MS)));
    const applicationName = `parley/app/${this.boot.version}/e${result.epoch}`;
    if (pooler) await context.pool?.end();
    const pool =
      pooler || !context.pool
        ? createPool(config, { connectionString: url, applicationName, pooler }, log)
        : await context.pool.take(applicationName);
    this.database.open(pool, { prepared: !pooler, patience });
    await (pooler ? this.database.ping() : this.database.introduce(applicationName));
    metrics.schemaReady.set(1);
    metrics.schemaInfo.set(
      { fingerprint: result.fingerprint ?? '', head: result.head ?? '', epoch: String(result.epoch) },
      1,
    );
    this.monitor.onChange((state) => this.database.refuse('down', state === 'down'));
    this.monitor.start(directUrl);
    this.guard.start(lifecycle.options);
    this.log.info('boot.database.ready', {}, 'DATABASE INITIALIZATION COMPLETED - SCHEMA IS READY');
  }

  /** After every feature module's hook: Nest runs shutdown hooks in reverse order of start. Tolerates a boot that failed. */
  async onApplicationShutdown(): Promise<void> {
    this.guard.stop();
    await this.monitor.stop();
    await this.database.close();
    await this.context.pool?.end();
    await this.context.stopServer?.();
  }
}
