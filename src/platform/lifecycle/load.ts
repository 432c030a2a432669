import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { monotonicMs } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { BootState } from './boot-state.js';
import { type ComponentState, HealthRegistry } from './health-registry.js';
import { type LoadLevel, LoadLevels } from './load-levels.js';

/** One sign of overload: a figure, and from where on it means level 1, 2 and 3. */
export interface LoadSignal {
  name: string;
  limits: readonly [number, number, number];
  read(): number;
}

/** What a caller may be refused for, in the order of sacrifice: from this level on. Sends and sync go last. */
export const shedFrom = { hint: 1, background: 1, read: 2, receipt: 2, essential: 3 } as const;
export type LoadClass = keyof typeof shedFrom;

const TICK_MS = 1000;
const RESOLUTION_MS = 20;
const STUCK_MS = 30_000;
const NS = 1e6;

/**
 * How busy this replica is, from 0 (fine) to 3 (not ready). Measured once a second from the delay of the event loop, the
 * requests in flight, memory, and what others register (the pool's queue).
 */
@Injectable()
export class Load implements OnApplicationBootstrap, OnApplicationShutdown {
  /** Requests being answered now. */
  inFlight = 0;
  /** Of the event loop within the last second, in ms; above what an idle loop shows. */
  delay = { p99: 0, max: 0 };
  private readonly signals: LoadSignal[] = [];
  private readonly levels = new LoadLevels();
  private histogram: ReturnType<typeof monitorEventLoopDelay> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private tickedAt = monotonicMs();

  constructor(
    private readonly config: Config,
    private readonly boot: BootState,
    private readonly health: HealthRegistry,
    private readonly log: Log,
  ) {
    this.watch({ name: 'eventLoop', limits: [200, 500, 1000], read: () => this.delay.p99 });
    this.watch({ name: 'inFlight', limits: [500, 1000, 2000], read: () => this.inFlight });
    const memoryLimit = process.constrainedMemory();
    // Without a limit of its own the process is not the one to say how full the machine is.
    if (memoryLimit > 0 && memoryLimit < Number.MAX_SAFE_INTEGER)
      this.watch({
        name: 'memory',
        limits: [80, 90, Infinity],
        read: () => (process.memoryUsage.rss() / memoryLimit) * 100,
      });
  }

  watch(signal: LoadSignal): void {
    this.signals.push(signal);
  }

  onApplicationBootstrap(): void {
    this.health.register({
      name: 'load',
      critical: true,
      timeoutMs: 100,
      cacheMs: 0,
      check: () => ({ state: this.state(), observed: { level: this.level, ...this.readings() } }),
    });
    this.histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.histogram.enable();
    this.tickedAt = monotonicMs();
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
    this.histogram?.disable();
  }

  /** 0 fine, 1 and 2 shedding, 3 not ready. */
  get level(): LoadLevel {
    return this.levels.level;
  }

  /** Whether the event loop stood still for more than 30 s, now or a moment ago: the process itself is broken. */
  get stuck(): boolean {
    return Math.max(this.delay.max, monotonicMs() - this.tickedAt - TICK_MS) > STUCK_MS;
  }

  /** Whether work of this class is to be refused at present; counts it when so. */
  sheds(kind: LoadClass): boolean {
    if (this.level < shedFrom[kind] || !this.config.LOAD_SHEDDING) return false;
    metrics.shed.inc({ class: kind, level: this.level });
    return true;
  }

  /** Who sheds nothing also goes on taking requests. */
  private state(): ComponentState {
    if (this.level === 0 || !this.config.LOAD_SHEDDING) return 'healthy';
    return this.level === 3 ? 'unhealthy' : 'degraded';
  }

  /** Every signal as it stands. */
  readings(): Record<string, number> {
    return Object.fromEntries(this.signals.map((signal) => [signal.name, Math.round(signal.read() * 10) / 10]));
  }

  /** Measures and moves the level; the timer calls it once a second. */
  tick(): void {
    const { histogram } = this;
    this.tickedAt = monotonicMs();
    // The first seconds load and compile; what they take says nothing about the load.
    if (histogram && this.boot.phase === 'ready' && histogram.count > 0) {
      const above = (ns: number) => Math.max(0, ns / NS - RESOLUTION_MS);
      this.delay = { p99: above(histogram.percentile(99)), max: above(histogram.max) };
    }
    histogram?.reset();
    const before = this.level;
    this.levels.observe(this.signals.map((signal) => ({ limits: signal.limits, value: signal.read() })));
    if (this.level === before) return;
    metrics.loadLevel.set(this.level);
    this.log.at(this.level > before ? 'warn' : 'info', 'load.shed', { level: this.level, ...this.readings() });
  }
}
