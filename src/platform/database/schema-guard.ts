import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { HealthRegistry } from '../lifecycle/health-registry.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { classify } from './database-error.js';
import { DatabaseMonitor } from './database-monitor.js';
import { DatabaseService } from './database.service.js';
import { createSchemaGuard, type SchemaCheck, type SchemaGuard as CheckSchema } from './lifecycle/guard.js';
import type { LifecycleOptions } from './lifecycle/types.js';

/** A schema that is wrong is looked at at least this often: the sooner it is right again, the sooner this process serves. */
const RECHECK_MS = 5000;

/**
 * Looks at the live schema again while the process serves: on a timer, after every reconnect (it may be a restored or a
 * failed-over server) and when a statement met a missing table. An incompatible schema takes readiness down and stops
 * statements; a compatible one brings both back. It executes no DDL and never ends the process.
 */
@Injectable()
export class SchemaGuard {
  private check: CheckSchema | undefined;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private last: SchemaCheck | undefined;

  constructor(
    private readonly config: Config,
    private readonly database: DatabaseService,
    private readonly monitor: DatabaseMonitor,
    private readonly health: HealthRegistry,
    private readonly log: Log,
  ) {}

  start(options: LifecycleOptions): void {
    this.check = createSchemaGuard(options);
    this.health.register({
      name: 'schema',
      critical: true,
      timeoutMs: 1000,
      cacheMs: 0,
      check: () =>
        this.last?.compatible === false
          ? { state: 'unhealthy', observed: { reason: this.last.reason } }
          : { state: 'healthy' },
    });
    this.monitor.onChange((state) => {
      if (state === 'ready') void this.run();
    });
    this.database.onFault((fault) => {
      if (fault.class === 'schema') void this.run();
    });
    this.lookLater();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.check = undefined;
  }

  private lookLater(): void {
    clearTimeout(this.timer);
    if (!this.check) return;
    const { SCHEMA_GUARD_INTERVAL_MS: usual } = this.config;
    const pause = this.last?.compatible === false ? Math.min(usual, RECHECK_MS) : usual;
    this.timer = setTimeout(() => void this.run(), pause);
    this.timer.unref();
  }

  /** One look; several callers share it. Never rejects: a database that does not answer is the monitor's business. */
  run(): Promise<void> {
    this.running ??= this.look().finally(() => {
      this.running = undefined;
      this.lookLater();
    });
    return this.running;
  }

  private async look(): Promise<void> {
    const { check } = this;
    if (!check) return;
    try {
      const client = await this.database.connections.connect();
      try {
        this.conclude(await check(client));
      } finally {
        client.release();
      }
    } catch (error) {
      this.log.warn('schema.guard_unanswered', { class: classify(error).class });
    }
  }

  private conclude(found: SchemaCheck): void {
    const before = this.last?.compatible ?? true;
    this.last = found;
    metrics.schemaGuardRuns.inc({ result: found.compatible ? 'compatible' : 'incompatible' });
    metrics.schemaReady.set(found.compatible ? 1 : 0);
    metrics.schemaDrift.set({ severity: 'fatal' }, found.differences.length);
    if (before === found.compatible) return;
    this.database.refuse('schema', !found.compatible);
    if (found.compatible) this.log.info('schema.guard_recovered');
    else
      this.log.error(
        'schema.guard_failed',
        { reason: found.reason },
        `table schema is not ready: ${found.reason ?? ''}`,
      );
  }
}
