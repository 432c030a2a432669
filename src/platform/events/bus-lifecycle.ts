import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HealthRegistry } from '../lifecycle/health-registry.js';
import { metrics } from '../logging/metrics.js';
import { Bus } from './bus.js';

/** Connects the bus once the database is verified. A bus that cannot connect degrades the replica and never stops it. */
@Injectable()
export class BusLifecycle implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  private starting: Promise<void> | undefined;

  constructor(
    private readonly bus: Bus,
    private readonly health: HealthRegistry,
  ) {}

  onModuleInit(): void {
    this.health.register({ name: 'bus', critical: false, timeoutMs: 100, cacheMs: 0, check: () => this.read() });
    this.starting = this.bus.start();
  }

  /** By now the other modules' hooks have run beside the connecting. */
  async onApplicationBootstrap(): Promise<void> {
    await this.starting;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.bus.stop();
  }

  private read() {
    const { connected } = this.bus;
    metrics.degraded.set({ component: 'bus' }, connected ? 0 : 1);
    return { state: connected ? ('healthy' as const) : ('degraded' as const) };
  }
}
