import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HealthRegistry, type HealthReading } from '../lifecycle/health-registry.js';
import { metrics } from '../logging/metrics.js';
import { DeadLetters } from './dead-letters.js';
import { type Backlog, DelayedWork } from './delayed-work.js';

const TIMEOUT_MS = 2000;
const GOOD_FOR_MS = 15_000;
/** Work that is due and that nobody has taken for so long: the workers are stopped, or too slow. */
const OVERDUE_S = 60;

/** Opens the queue before any work, and says how it stands. It degrades a replica and never stops it. */
@Injectable()
export class QueueHealth implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private readonly seen = new Set(['outbox']);

  constructor(
    private readonly work: DelayedWork,
    private readonly letters: DeadLetters,
    private readonly health: HealthRegistry,
  ) {}

  onModuleInit(): void {
    this.health.register({
      name: 'queue',
      critical: false,
      timeoutMs: TIMEOUT_MS,
      cacheMs: GOOD_FOR_MS,
      check: () => this.read(),
    });
  }

  /** By now every module has said what it consumes. */
  async onApplicationBootstrap(): Promise<void> {
    await this.work.open();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.work.close();
  }

  private async read(): Promise<HealthReading> {
    const depths = await this.letters.depths().catch((error: unknown) => {
      metrics.degraded.set({ component: 'queue' }, 1);
      throw error;
    });
    this.measure(depths);
    const sum = (of: (depth: (typeof depths)[number]) => number) => depths.reduce((total, one) => total + of(one), 0);
    const oldestSeconds = Math.round(Math.max(0, ...depths.map((depth) => depth.oldestSeconds)));
    const late = oldestSeconds > OVERDUE_S;
    metrics.degraded.set({ component: 'queue' }, late ? 1 : 0);
    return {
      state: late ? 'degraded' : 'healthy',
      observed: {
        driver: this.work.driver,
        waiting: sum(({ waiting }) => waiting),
        later: sum(({ later }) => later),
        oldestSeconds,
        deadLetters: sum(({ deadLetters }) => deadLetters),
      },
    };
  }

  /** A queue in which nothing waits any more is 0, not gone. */
  private measure(depths: readonly Pick<Backlog, 'queue' | 'waiting' | 'oldestSeconds'>[]): void {
    const found = new Map(depths.map((depth) => [depth.queue, depth]));
    for (const queue of found.keys()) this.seen.add(queue);
    for (const queue of this.seen) {
      const { waiting = 0, oldestSeconds = 0 } = found.get(queue) ?? {};
      metrics.queueDepth.set({ queue }, waiting);
      metrics.queueOldest.set({ queue }, oldestSeconds);
    }
  }
}
