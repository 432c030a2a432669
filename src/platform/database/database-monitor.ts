import { Injectable } from '@nestjs/common';
import pg from 'pg';
import { jitter } from '../clock/clock.js';
import { HealthRegistry } from '../lifecycle/health-registry.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { classify } from './database-error.js';
import { clientConfig } from './lifecycle/connection-url.js';

export type DatabaseState = 'connecting' | 'ready' | 'degraded' | 'down';

const INTERVAL_MS = 3000;
const PROBE_TIMEOUT_MS = 1000;
const FAILURES_UNTIL_DOWN = 3;

/**
 * Watches the database on a connection of its own, so that a full pool is not mistaken for an outage. Three failures in
 * a row mean down, one success means ready again. It never ends the process.
 */
@Injectable()
export class DatabaseMonitor {
  state: DatabaseState = 'connecting';
  /** Why the last probe failed; undefined while it succeeds. */
  lastError: { class: string; code: string | undefined } | undefined;
  private failures = 0;
  private client: pg.Client | undefined;
  private timer: NodeJS.Timeout | undefined;
  private url = '';
  private readonly listeners: ((state: DatabaseState) => void)[] = [];

  constructor(
    private readonly health: HealthRegistry,
    private readonly log: Log,
  ) {}

  start(url: string): void {
    this.url = url;
    this.enter('ready');
    this.health.register({
      name: 'database',
      critical: true,
      timeoutMs: 1000,
      cacheMs: 0,
      check: () => ({
        state: this.state === 'ready' ? 'healthy' : this.state === 'degraded' ? 'degraded' : 'unhealthy',
        ...(this.lastError ? { observed: this.lastError } : {}),
      }),
    });
    this.schedule();
  }

  onChange(listener: (state: DatabaseState) => void): void {
    this.listeners.push(listener);
  }

  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.url = '';
    await this.disconnect();
  }

  private schedule(): void {
    if (!this.url) return;
    this.timer = setTimeout(
      () => void this.probe().then(() => this.schedule()),
      INTERVAL_MS + jitter(INTERVAL_MS / 10),
    );
    this.timer.unref();
  }

  private async probe(): Promise<void> {
    try {
      const client = await this.connected();
      await client.query('SELECT 1');
      this.failures = 0;
      this.lastError = undefined;
      this.become('ready');
    } catch (error) {
      await this.disconnect();
      this.failures += 1;
      const fault = classify(error);
      this.lastError = { class: fault.class, code: fault.code };
      this.become(this.failures >= FAILURES_UNTIL_DOWN ? 'down' : 'degraded');
    }
  }

  private async connected(): Promise<pg.Client> {
    if (this.client) return this.client;
    const client = new pg.Client({
      ...clientConfig(this.url, 'DATABASE_URL'),
      application_name: 'parley/probe',
      connectionTimeoutMillis: PROBE_TIMEOUT_MS,
      query_timeout: PROBE_TIMEOUT_MS,
      keepAlive: true,
    });
    client.on('error', () => void this.disconnect());
    await client.connect();
    this.client = client;
    return client;
  }

  private async disconnect(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    await client?.end().catch(() => undefined);
  }

  private enter(state: DatabaseState): void {
    this.state = state;
    metrics.dbState.reset();
    metrics.dbState.set({ state }, 1);
  }

  private become(state: DatabaseState): void {
    if (state === this.state) return;
    this.enter(state);
    this.log.at(state === 'ready' ? 'info' : 'warn', 'db.state', { state, ...this.lastError });
    for (const listener of this.listeners) listener(state);
  }
}
