import { availableParallelism, totalmem } from 'node:os';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { monotonicMs, newId, now } from '../../platform/clock/clock.js';
import { DatabaseMonitor } from '../../platform/database/database-monitor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { Load } from '../../platform/lifecycle/load.js';
import { Log } from '../../platform/logging/log.js';
import { metrics } from '../../platform/logging/metrics.js';
import { ReplicaLease } from '../../platform/realtime/replica-lease.js';
import { Sockets } from '../../platform/realtime/sockets.js';
import { blockCounts, type BlockCounts } from './database-statistics.repository.js';
import { HealthService } from './health.service.js';
import { outboxBacklog } from './platform-state.repository.js';
import { RecentSamples } from './recent-samples.service.js';
import { insertSample, type SampleRow } from './samples.repository.js';
import { SettingsService } from './settings.service.js';
import { cacheHitRate } from './statistics.rules.js';
import { Traffic } from './traffic.service.js';

const DEFAULT_INTERVAL_MS = 30_000;
/** Too few blocks say nothing about a cache. */
const MEANINGFUL_BLOCKS = 1000;

/**
 * Writes down what this replica did, once per `refreshInterval`. Every replica does it, whatever its role, so it is no
 * job. Without a database the sample is kept in memory and not written later.
 */
@Injectable()
export class Sampler implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<unknown> | undefined;
  private stopped = false;
  private intervalMs = DEFAULT_INTERVAL_MS;
  private cpu = { usage: process.cpuUsage(), at: monotonicMs() };
  private slowQueries = 0;
  private blocks: BlockCounts | undefined;
  private outboxDepth = 0;

  constructor(
    private readonly database: DatabaseService,
    private readonly monitor: DatabaseMonitor,
    private readonly settings: SettingsService,
    private readonly health: HealthService,
    private readonly traffic: Traffic,
    private readonly load: Load,
    private readonly sockets: Sockets,
    private readonly replica: ReplicaLease,
    private readonly recent: RecentSamples,
    private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.schedule(this.intervalMs);
  }

  /** The last sample goes with what happened since the one before. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
    // A stop must not wait for a database that does not answer.
    if (this.monitor.state === 'ready') await this.sample();
  }

  private schedule(ms: number): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.sample().then(() => this.schedule(this.intervalMs));
    }, ms);
    this.timer.unref();
  }

  /** Measures, remembers and stores. Never rejects. */
  async sample(): Promise<SampleRow> {
    await this.health.refresh();
    const cache = await this.readDatabase();
    const sample: SampleRow = {
      id: newId(),
      replicaId: this.replica.replicaId,
      at: now(),
      ...(await this.traffic.sinceLast()),
      cacheHitRate: cache,
      slowQueries: await this.newSlowQueries(),
      cpuUsage: this.cpuUsage(),
      memoryUsage: memoryUsage(),
      wsConnections: this.sockets.size,
      outboxDepth: this.outboxDepth,
      loopDelay: round(this.load.delay.p99),
    };
    this.recent.add({ ...sample, at: sample.at.toISOString() });
    try {
      await insertSample(this.database, sample);
    } catch (error) {
      this.log.warn('sample.not_stored', { err: error });
    }
    return sample;
  }

  /** The hit rate since the last sample; what else the database knows is taken along. */
  private async readDatabase(): Promise<number> {
    try {
      this.intervalMs = (await this.settings.current()).refreshInterval;
      this.outboxDepth = (await outboxBacklog(this.database)).depth;
      const [before, after] = [this.blocks, await blockCounts(this.database)];
      this.blocks = after;
      const [hit, read] = before ? [after.hit - before.hit, after.read - before.read] : [0, 0];
      // Counts go back when somebody resets the statistics.
      return hit + read < MEANINGFUL_BLOCKS ? 100 : cacheHitRate(hit, Math.max(0, read));
    } catch (error) {
      this.log.warn('sample.incomplete', { err: error });
      return 100;
    }
  }

  private async newSlowQueries(): Promise<number> {
    const total = (await metrics.dbSlowQueries.get()).values[0]?.value ?? 0;
    const added = total - this.slowQueries;
    this.slowQueries = total;
    return added;
  }

  /** Percent of the processors this process may use, since the last sample. */
  private cpuUsage(): number {
    const [usage, at] = [process.cpuUsage(this.cpu.usage), monotonicMs()];
    const share = (usage.user + usage.system) / 1000 / Math.max(1, at - this.cpu.at) / availableParallelism();
    this.cpu = { usage: process.cpuUsage(), at };
    return round(Math.min(100, share * 100));
  }
}

/** Percent of the memory this process may use: of its limit where it has one, else of the machine's. */
function memoryUsage(): number {
  const limit = process.constrainedMemory();
  const total = totalmem();
  return round((process.memoryUsage.rss() / (limit > 0 && limit < total ? limit : total)) * 100);
}

const round = (value: number): number => Math.round(value * 100) / 100;
