import { hostname } from 'node:os';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../config/config.js';
import { DatabaseService } from '../database/database.service.js';
import { sql } from '../database/sql.js';
import { REPLICA_ID } from '../events/events.module.js';
import { BootState } from '../lifecycle/boot-state.js';
import { Log } from '../logging/log.js';
import { Sockets } from './sockets.js';

/** Told after each renewal. `anew` when there was no lease before: what rests on it has to be written again. */
export type RenewalListener = (anew: boolean) => Promise<void> | void;
/** Figures of this replica for the others, by name. */
export type StatsSource = () => Record<string, number>;

/** A living replica as its lease describes it. */
export interface Replica {
  replicaId: string;
  host: string;
  version: string;
  startedAt: Date;
  stats: Record<string, number>;
}

const RETRY_MS = 1000;

/**
 * Says to the other replicas that this one lives: a row renewed three times within its life. Whatever belongs to a
 * replica without a live row is void, so a killed or frozen process needs nobody to clean up at once.
 */
@Injectable()
export class ReplicaLease implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly renewalListeners: RenewalListener[] = [];
  private readonly statsSources: StatsSource[] = [];
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;
  private held = false;

  constructor(
    @Inject(REPLICA_ID) readonly replicaId: string,
    private readonly config: Config,
    private readonly database: DatabaseService,
    private readonly boot: BootState,
    private readonly log: Log,
    sockets: Sockets,
  ) {
    this.addStats(() => ({ connections: sockets.size, users: sockets.userIds().length }));
  }

  onRenewed(listener: RenewalListener): void {
    this.renewalListeners.push(listener);
  }

  addStats(source: StatsSource): void {
    this.statsSources.push(source);
  }

  /** Figures of this replica as they are now. */
  ownStats(): Record<string, number> {
    return Object.assign({}, ...this.statsSources.map((source) => source())) as Record<string, number>;
  }

  /** Every replica with a live lease, figures as of its last renewal; the oldest first. */
  living(): Promise<Replica[]> {
    return this.database.query<Replica & Record<string, unknown>>(sql`
      SELECT replica_id AS "replicaId", host, version, started_at AS "startedAt", coalesce(stats, '{}') AS stats
      FROM replica_lease WHERE expires_at > now() ORDER BY started_at, replica_id`);
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.cycle();
  }

  /** The lease outlives the process by the grace of a lost connection: clients move to other replicas meanwhile. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
    // A boot that failed before its first lease has none to shorten, and perhaps no database.
    if (!this.held) return;
    try {
      await this.database.execute(sql`
        UPDATE replica_lease SET expires_at = least(expires_at, now() + make_interval(secs => ${this.config.PRESENCE_GRACE}))
        WHERE replica_id = ${this.replicaId}`);
    } catch (error) {
      this.log.warn('replica.lease_failed', { stage: 'stop', err: error });
    }
  }

  /** Renews now and again before a third of the life is over. Never rejects. */
  private async cycle(): Promise<void> {
    this.running = this.renew();
    await this.running;
  }

  private async renew(): Promise<void> {
    let delayMs = (this.config.PRESENCE_LEASE_TTL * 1000) / 3;
    try {
      const anew = !this.held || !(await this.extend());
      if (anew) await this.take();
      this.held = true;
      for (const listener of this.renewalListeners) await listener(anew);
    } catch (error) {
      delayMs = Math.min(delayMs, RETRY_MS);
      this.log.warn('replica.lease_failed', { stage: 'renew', err: error });
    }
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.cycle(), delayMs);
    this.timer.unref();
  }

  /** False when it has run out, even if nobody noticed: others may have acted on it. */
  private async extend(): Promise<boolean> {
    const held = await this.database.execute(sql`
      UPDATE replica_lease SET expires_at = ${this.until()}, stats = ${this.stats()}::jsonb
      WHERE replica_id = ${this.replicaId} AND expires_at > now()`);
    return held > 0;
  }

  private async take(): Promise<void> {
    await this.database.execute(sql`
      INSERT INTO replica_lease (replica_id, host, version, expires_at, stats)
      VALUES (${this.replicaId}, ${hostname()}, ${this.boot.version}, ${this.until()}, ${this.stats()}::jsonb)
      ON CONFLICT (replica_id) DO UPDATE SET expires_at = excluded.expires_at, stats = excluded.stats`);
  }

  private until() {
    return sql`now() + make_interval(secs => ${this.config.PRESENCE_LEASE_TTL})`;
  }

  private stats(): string {
    return JSON.stringify(this.ownStats());
  }
}
