import { Injectable } from '@nestjs/common';
import { HealthIndicatorService, type HealthIndicatorResult } from '@nestjs/terminus';
import { now } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseMonitor } from '../../platform/database/database-monitor.js';
import { startupBody } from '../../platform/lifecycle/boot-responder.js';
import { BackgroundWork } from '../../platform/lifecycle/background-work.js';
import { BootState } from '../../platform/lifecycle/boot-state.js';
import { type HealthComponent, type HealthReading, HealthRegistry } from '../../platform/lifecycle/health-registry.js';

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
    private readonly monitor: DatabaseMonitor,
    private readonly background: BackgroundWork,
    private readonly config: Config,
  ) {}

  /** From memory, no I/O: the answer of /health in every state of the process. */
  live() {
    return {
      status: 'ok',
      timestamp: now().toISOString(),
      uptime: Math.round(process.uptime()),
      version: this.boot.version,
      phase: this.boot.phase,
      database: this.monitor.state,
      scheduler: this.background.state,
      services: {
        database: this.monitor.state === 'ready' ? 'healthy' : this.monitor.state === 'down' ? 'unhealthy' : 'degraded',
        aws: this.config.S3_BUCKET_NAME || this.config.SQS_QUEUE_URL ? this.worst('storage', 'queue') : 'embedded',
        socket: this.registry.last('sockets').state,
      },
    };
  }

  /** Terminus indicators of every registered component, ready for HealthCheckService. */
  checks(): (() => Promise<HealthIndicatorResult>)[] {
    return this.registry.components.map((component) => () => this.ask(component));
  }

  startup() {
    return startupBody(this.boot);
  }

  /** Down only for what a request cannot do without; everything else that is not up is degraded. */
  private async ask(component: HealthComponent): Promise<HealthIndicatorResult> {
    const { name, timeoutMs, cacheMs } = component;
    const session = this.indicators.check(name);
    let reading: HealthReading = { state: 'healthy' };
    const result = await session
      .attempt(async () => {
        reading = await component.check();
        if (reading.state !== 'healthy') throw new Impaired(reading);
        return reading.observed;
      })
      .withTimeout(timeoutMs)
      .cacheFor(cacheMs);
    const up = result[name]?.status === 'up';
    if (!up && reading.state === 'healthy') reading = { state: 'unhealthy', observed: { error: 'timeout' } };
    this.registry.record(name, reading);
    if (up) return result;
    const fatal = component.critical && reading.state === 'unhealthy' && this.config.READINESS_ON_DB_OUTAGE === 'fail';
    return fatal ? session.down(reading.observed) : session.degraded(reading.observed);
  }

  private worst(...names: string[]): string {
    const states = names.map((name) => this.registry.last(name).state);
    return (['unhealthy', 'degraded', 'healthy'] as const).find((state) => states.includes(state)) ?? 'unknown';
  }
}
