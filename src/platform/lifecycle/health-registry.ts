import { Injectable } from '@nestjs/common';
import { monotonicMs } from '../clock/clock.js';

export type ComponentState = 'healthy' | 'degraded' | 'unhealthy' | 'unknown';

/** One dependency as seen by its owner. `check` may do I/O; it is bounded by `timeoutMs` and its result kept for `cacheMs`. */
export interface HealthComponent {
  name: string;
  /** Whether a failure takes readiness down; everything else only degrades. */
  critical: boolean;
  timeoutMs: number;
  cacheMs: number;
  check(): Promise<HealthReading> | HealthReading;
}

export interface HealthReading {
  state: ComponentState;
  /** Facts for the detailed page; no secrets, no hosts. */
  observed?: Record<string, unknown>;
}

export interface HealthEntry extends HealthReading {
  name: string;
  critical: boolean;
  /** Milliseconds since the reading was made. */
  ageMs: number;
}

/** What every capability and module says about its own dependency. `/health` reads the last values, never asks. */
@Injectable()
export class HealthRegistry {
  private readonly components = new Map<string, { component: HealthComponent; reading: HealthReading; at: number; busy?: Promise<void> }>();

  register(component: HealthComponent): void {
    this.components.set(component.name, { component, reading: { state: 'unknown' }, at: -Infinity });
  }

  /** Last known values, without any I/O. */
  snapshot(): HealthEntry[] {
    const at = monotonicMs();
    return [...this.components.values()].map(({ component: { name, critical }, reading, at: readAt }) => ({
      name,
      critical,
      ...reading,
      ageMs: Math.round(at - readAt),
    }));
  }

  get(name: string): ComponentState {
    return this.components.get(name)?.reading.state ?? 'unknown';
  }

  /** Asks every component whose reading is older than its cache time; never rejects. */
  async refresh(): Promise<HealthEntry[]> {
    await Promise.all([...this.components.keys()].map((name) => this.refreshOne(name)));
    return this.snapshot();
  }

  private async refreshOne(name: string): Promise<void> {
    const entry = this.components.get(name);
    if (!entry || monotonicMs() - entry.at < entry.component.cacheMs) return;
    entry.busy ??= this.read(entry.component)
      .then((reading) => {
        entry.reading = reading;
        entry.at = monotonicMs();
      })
      .finally(() => {
        delete entry.busy;
      });
    await entry.busy;
  }

  private async read(component: HealthComponent): Promise<HealthReading> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<HealthReading>((resolve) => {
      timer = setTimeout(() => resolve({ state: 'unhealthy', observed: { error: 'timeout' } }), component.timeoutMs);
    });
    try {
      return await Promise.race([Promise.resolve(component.check()), timeout]);
    } catch (error) {
      return { state: 'unhealthy', observed: { error: error instanceof Error ? error.name : 'error' } };
    } finally {
      clearTimeout(timer);
    }
  }
}
