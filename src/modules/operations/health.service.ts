import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { now } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseMonitor } from '../../platform/database/database-monitor.js';
import { startupBody } from '../../platform/lifecycle/boot-responder.js';
import { BackgroundWork } from '../../platform/lifecycle/background-work.js';
import { BootState } from '../../platform/lifecycle/boot-state.js';
import { type HealthComponent, type HealthReading, HealthRegistry } from '../../platform/lifecycle/health-registry.js';
import { Load } from '../../platform/lifecycle/load.js';
import { Log } from '../../platform/logging/log.js';
import { metrics } from '../../platform/logging/metrics.js';

/** Thrown inside a Terminus attempt to carry a reading that is not `up`. */
class Impaired extends Error {
  constructor(readonly reading: HealthReading) {
    super(reading.state);
  }
}

/** The three probes: alive, ready, started. Liveness never asks a dependency; only critical ones decide readiness. */
@Injectable()
export class HealthService {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly registry: HealthRegistry,
    private readonly boot: BootState,
    private readonly load: Load,
    private readonly monitor: DatabaseMonitor,
    private readonly background: BackgroundWork,
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  /** False when the process itself is broken, which no dependency can cause. */
  get alive(): boolean {
    return !this.load.stuck;
  }

  /** From memory, no I/O: the answer of /health in every state of the process. */
  live() {
    return {
      status: this.alive ? 'ok' : 'stuck',
      timestamp: now().toISOString(),
      uptime: Math.round(process.uptime()),
      version: this.boot.version,
      phase: this.boot.phase,
      database: this.monitor.state,
      scheduler: this.background.state,
      services: this.services(),
    };
  }

  /** Three words for the seeds' dashboards. */
  services() {
    const { state } = this.monitor;
    return {
      database: state === 'ready' ? 'healthy' : state === 'down' ? 'unhealthy' : 'degraded',
      aws: this.config.S3_BUCKET_NAME || this.config.SQS_QUEUE_URL ? this.worst('storage', 'queue') : 'embedded',
      socket: this.registry.last('sockets').state,
    };
  }

  /** Terminus indicators of every registered component, ready for HealthCheckService. */
  checks(): (() => Promise<HealthIndicatorResult>)[] {
    return this.registry.components.map((component) => () => this.ask(component));
  }

  /** Asks every component, so that the readings are fresh where no probe comes. */
  async refresh(): Promise<void> {
    await Promise.all(this.registry.components.map((component) => this.ask(component)));
  }

  startup() {
    return startupBody(this.boot);
  }

  /** Down only for what a request cannot do without; everything else that is not up is degraded. */
  private async ask(component: HealthComponent): Promise<HealthIndicatorResult> {
    const { name, timeoutMs, cacheMs } = component;
    const session = this.indicators.check(name);
    let found: HealthReading | undefined;
    const result = await session
      .attempt(async () => {
        const reading = await component.check();
        found = reading;
        if (reading.state !== 'healthy') throw new Impaired(reading);
        return reading.observed;
      })
      .withTimeout(timeoutMs)
      .cacheFor(cacheMs);
    const up = result[name]?.status === 'up';
    // Without a finding the check threw or ran out of time, or Terminus answered from its cache.
    const before = this.registry.last(name);
    found ??=
      up || (cacheMs > 0 && before.state !== 'healthy' && before.state !== 'unknown')
        ? { ...before, state: up ? 'healthy' : before.state }
        : { state: 'unhealthy', observed: { error: 'no answer' } };
    this.record(name, before, found);
    if (up) return result;
    return this.lowersReadiness(component, found) ? session.down(found.observed) : session.degraded(found.observed);
  }

  /** An operator may keep replicas in service through an outage of the database; nothing else is theirs to ignore. */
  private lowersReadiness({ name, critical }: HealthComponent, { state }: HealthReading): boolean {
    if (!critical || state !== 'unhealthy') return false;
    return name !== 'database' || this.config.READINESS_ON_DB_OUTAGE === 'fail';
  }

  private record(component: string, before: HealthReading, found: HealthReading): void {
    this.registry.record(component, found);
    const impaired = found.state !== 'healthy';
    metrics.degraded.set({ component }, impaired ? 1 : 0);
    if (before.state === found.state || (before.state === 'unknown' && !impaired)) return;
    if (impaired) this.log.warn('dependency.degraded', { component, state: found.state });
    else this.log.info('dependency.restored', { component });
  }

  private worst(...names: string[]): string {
    const states = names.map((name) => this.registry.last(name).state);
    return (['unhealthy', 'degraded', 'healthy'] as const).find((state) => states.includes(state)) ?? 'unknown';
  }
}
