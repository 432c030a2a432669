import { setTimeout as pause } from 'node:timers/promises';
import type { Config } from '../config/config.js';
import type { Log } from '../logging/log.js';
import { openConnection } from './lifecycle/connect.js';
import { outlasting } from './lifecycle/outlast.js';
import { runLifecycle } from './lifecycle/run-lifecycle.js';
import type { LifecycleOptions, LifecyclePhase, LifecycleResult, PhaseDetail } from './lifecycle/types.js';
import { countLifecycle } from './lifecycle-metrics.js';
import { lifecycleOptions } from './lifecycle-options.js';

type OnPhase = (phase: LifecyclePhase, detail: PhaseDetail) => void;

export interface SchemaLifecycleContext {
  config: Config;
  log: Log;
  version: string;
  /** For the application pool, and for the lifecycle. */
  urls: { url: string; directUrl: string };
  /** Aborted by a stop signal during the boot. */
  signal: AbortSignal;
}

/**
 * The lifecycle of this process's schema. It begins while the application is still loading, when a handshake and a look
 * at the catalog cost no time, but locks and writes nothing before `proceed`: a build that cannot start changes no schema.
 */
export class SchemaLifecycle {
  readonly options: LifecycleOptions;
  /** The first attempt to connect; rejects when it failed, and others follow. */
  readonly connected: Promise<unknown>;
  private readonly result: Promise<LifecycleResult>;
  private readonly abandoned = new AbortController();
  private readonly built = Promise.withResolvers<void>();
  private readonly looking = Promise.withResolvers<void>();
  private readonly passed: Parameters<OnPhase>[] = [];
  private onPhase: OnPhase = (...phase) => void this.passed.push(phase);

  constructor(private readonly context: SchemaLifecycleContext) {
    const { config, log, version, urls, signal } = context;
    this.options = {
      ...lifecycleOptions(config, urls, version),
      signal: AbortSignal.any([signal, this.abandoned.signal]),
      report: (reported) => {
        countLifecycle(reported);
        const { level, event, ...fields } = reported;
        log.at(level, event, fields);
      },
      onPhase: (phase, detail) => {
        if (phase === 'checking') this.looking.resolve();
        this.onPhase(phase, detail);
      },
    };
    const connection = openConnection(this.options);
    // Whoever takes them sees the error; until then nobody listens.
    connection.catch(() => undefined);
    this.connected = connection;
    this.result = runLifecycle({ ...this.options, connection, mayWrite: this.built.promise });
    this.result.catch(() => undefined);
  }

  /** Resolves when the first look at the schema is under way, at the latest after `limitMs`. */
  async underWay(limitMs: number): Promise<void> {
    await Promise.race([this.looking.promise, pause(limitMs)]);
  }

  /** The application is built: goes on with whatever has to be written. Tells the phases from the first one. */
  proceed(onPhase: OnPhase): Promise<LifecycleResult> {
    for (const phase of this.passed) onPhase(...phase);
    this.onPhase = onPhase;
    this.built.resolve();
    return this.result;
  }

  /** The application cannot start: ends what runs, with its connection. */
  async abandon(): Promise<void> {
    this.abandoned.abort();
    await this.result.catch(() => undefined);
  }

  /** For the statements of the modules that start: an outage is waited for by the same rules. */
  get patience(): ReturnType<typeof outlasting> {
    return outlasting({ ...this.options, connectionString: this.context.urls.url, urlSource: 'DATABASE_URL' });
  }
}
