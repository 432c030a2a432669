/** Phases of the process, in order; `draining` follows `ready` on a stop signal. */
export const phases = [
  'listening',
  'config',
  'embedded',
  'creating',
  'connecting',
  'preflight',
  'checking',
  'waiting_lock',
  'reconciling',
  'migrating',
  'seeding',
  'verifying',
  'starting',
  'ready',
  'draining',
] as const;
export type Phase = (typeof phases)[number];

/** Where a phase stands: the step it is at, who holds the lock it waits for, why it cannot go on. */
export interface PhaseDetail {
  step?: { i: number; n: number; name: string };
  holder?: unknown;
  code?: string;
  hint?: string;
  /** Of the connection: how often it was tried, and what class of fault the last try met. */
  attempt?: number;
  class?: string;
  /** When the phase was entered, ISO 8601. */
  since?: string;
}

/** Seconds after which a caller should ask again, per phase. */
const slowPhases: readonly Phase[] = ['waiting_lock', 'reconciling', 'migrating', 'seeding', 'verifying'];

/**
 * Where this process stands between `exec` and exit. Written by the entry file and the schema lifecycle, read by the
 * probes. Imports nothing, so that it can exist before anything else is loaded.
 */
export class BootState {
  readonly version: string;
  phase: Phase = 'listening';
  detail: PhaseDetail = {};
  /** Milliseconds each finished phase took, in order of completion. */
  readonly finished: { phase: Phase; ms: number }[] = [];
  readyOnce = false;
  private phaseStartedAt: number;

  constructor(version: string) {
    this.version = version;
    // The process's own start, so that the time Node needs to load is part of the first phase.
    this.phaseStartedAt = 0;
  }

  enter(phase: Phase, detail: PhaseDetail = {}): void {
    // Nothing leads back behind `ready`: a query of the boot that is still being repeated reports its phase later.
    if (this.readyOnce && phase !== 'draining') return;
    this.detail = detail;
    if (phase === this.phase) return;
    const at = performance.now();
    this.finished.push({ phase: this.phase, ms: Math.round((at - this.phaseStartedAt) * 10) / 10 });
    this.phaseStartedAt = at;
    this.phase = phase;
    if (phase === 'ready') this.readyOnce = true;
  }

  get retryAfterSeconds(): number {
    return slowPhases.includes(this.phase) ? 5 : 2;
  }
}
