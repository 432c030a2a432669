import type { Client } from 'pg';

import { aborted, LifecycleError, redact } from './errors.js';
import type {
  LifecycleEvent,
  LifecycleOptions,
  LifecyclePhase,
  LifecycleSettings,
  PhaseDetail,
  ReportedEvent,
} from './types.js';
import { defaultSettings } from './types.js';

type Level = ReportedEvent['level'];

const levels: Partial<Record<LifecycleEvent['event'], Level>> = {
  'db.connect_fatal': 'error',
  'migration.failed': 'error',
  'migration.quarantined': 'error',
  'boot.blocked': 'error',
  'boot.failed': 'error',
  'db.connect_retry': 'warn',
  'db.connection_lost': 'warn',
  'db.pooler_detected': 'warn',
  'db.warning': 'warn',
  'migration.lock_retry': 'warn',
  'migration.out_of_order': 'warn',
  'schema.ahead': 'warn',
  'boot.aborted': 'warn',
};

/**
 * What one run of the lifecycle carries through all phases: its settings, the phase and its clock, the events, and the
 * watchdog that ends a run which makes no progress for `deadlineMs`.
 *
 * Progress is a phase entered for the first time, a finished step, an own statement active on the server, or a lock
 * holder that moves: whoever sees one calls `progress()`. Entering a phase again (a reconnect) is none.
 */
export class BootRun {
  readonly settings: LifecycleSettings;
  readonly schema: string;
  readonly signal: AbortSignal;
  readonly phases: Partial<Record<LifecyclePhase, number>> = {};
  readonly applied: string[] = [];
  readonly seeded: string[] = [];
  phase: LifecyclePhase = 'connecting';
  /** Of the current connection. */
  connectAttempts = 1;

  private readonly startedAt = performance.now();
  private readonly stop = new AbortController();
  private readonly watchdog: NodeJS.Timeout;
  private readonly visited = new Set<LifecyclePhase>();
  private phaseStartedAt = this.startedAt;
  private progressAt = this.startedAt;
  private waitingFor: LifecycleError | undefined;
  /** Opened while something else went on; it serves the first attempt only. */
  private earlyConnection: Promise<Client> | undefined;
  private readonly onAbort: () => void;

  constructor(readonly options: LifecycleOptions) {
    this.settings = { ...defaultSettings, ...options.settings };
    this.schema = options.schema ?? 'public';
    this.onAbort = () => this.stop.abort(aborted(options.signal?.reason));
    this.signal = this.stop.signal;
    if (options.signal?.aborted) this.onAbort();
    options.signal?.addEventListener('abort', this.onAbort, { once: true });
    this.watchdog = setInterval(() => this.watch(), Math.max(20, Math.min(1_000, this.settings.deadlineMs / 10)));
  }

  enter(phase: LifecyclePhase, detail: Partial<PhaseDetail> = {}): void {
    const now = performance.now();
    this.phases[this.phase] = (this.phases[this.phase] ?? 0) + (now - this.phaseStartedAt);
    this.phaseStartedAt = now;
    this.phase = phase;
    if (!this.visited.has(phase)) {
      this.visited.add(phase);
      this.progress();
    }
    this.detail(detail);
  }

  /** Tells the probes more about the current phase. */
  detail(detail: Partial<PhaseDetail>): void {
    this.options.onPhase?.(this.phase, { since: new Date().toISOString(), ...detail });
  }

  report(event: LifecycleEvent, level: Level = levels[event.event] ?? 'info'): void {
    this.options.report?.({ ...event, phase: this.phase, ms: Math.round(performance.now() - this.startedAt), level });
  }

  /** A connection that is on its way. One that nobody takes is closed with the run. */
  expect(connection: Promise<Client>): void {
    connection.catch(() => undefined);
    this.earlyConnection = connection;
  }

  takeEarlyConnection(): Promise<Client> | undefined {
    const early = this.earlyConnection;
    this.earlyConnection = undefined;
    return early;
  }

  progress(): void {
    this.progressAt = performance.now();
    this.waitingFor = undefined;
  }

  /** Names what the run waits for: the error that ends it if the deadline passes first. */
  waitFor(error: LifecycleError): void {
    this.waitingFor = error;
  }

  /** Ends the run from outside its current statement. */
  abort(error: LifecycleError): void {
    this.stop.abort(error);
  }

  dispose(): void {
    clearInterval(this.watchdog);
    this.options.signal?.removeEventListener('abort', this.onAbort);
    void this.takeEarlyConnection()
      ?.then((client) => client.end())
      .catch(() => undefined);
  }

  private watch(): void {
    const silent = performance.now() - this.progressAt;
    if (silent < this.settings.deadlineMs) return;
    const seconds = Math.round(this.settings.deadlineMs / 1000);
    const cause = this.waitingFor;
    this.abort(
      new LifecycleError(
        cause?.kind ?? (this.phase === 'connecting' ? 'connect' : 'no_progress'),
        redact(`no progress for ${seconds} s in phase ${this.phase}${cause ? `: ${cause.message}` : ''}`),
        { hint: cause?.hint, code: cause?.code, details: cause?.details, cause },
      ),
    );
  }
}
