import { Injectable } from '@nestjs/common';

export type ComponentState = 'healthy' | 'degraded' | 'unhealthy' | 'unknown';

export interface HealthReading {
  state: ComponentState;
  /** Facts for the detailed page; no secrets, no hosts. */
  observed?: Record<string, unknown>;
}

/** One dependency as its owner sees it. `check` may do I/O; throwing means unhealthy. */
export interface HealthComponent {
  name: string;
  /** Whether a failure takes readiness down; all other failures only degrade. */
  critical: boolean;
  /** Longest a check may take, in ms. */
  timeoutMs: number;
  /** How long a reading is good for, in ms. */
  cacheMs: number;
  check(): Promise<HealthReading> | HealthReading;
}

/**
 * What every capability says about its own dependency. The operations module asks them through Terminus and records the
 * readings here, so that `/health` can answer from memory.
 */
@Injectable()
export class HealthRegistry {
  readonly components: HealthComponent[] = [];
  private readonly readings = new Map<string, HealthReading>();

  register(component: HealthComponent): void {
    this.components.push(component);
  }

  record(name: string, reading: HealthReading): void {
    this.readings.set(name, reading);
  }

  /** The last reading; no I/O. */
  last(name: string): HealthReading {
    return this.readings.get(name) ?? { state: 'unknown' };
  }
}
