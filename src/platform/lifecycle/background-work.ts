import { Injectable } from '@nestjs/common';
import type { CronJob } from 'cron';
import { jitter, monotonicMs, now } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { spanned } from '../logging/tracing.js';

/** Work that runs without a caller. It starts after every other bootstrap hook and stops before sockets close. */
export interface BackgroundTask {
  name: string;
  start(): Promise<void> | void;
  /** Finishes what runs, takes nothing new. At most 15 s are waited. */
  stop(): Promise<void> | void;
}

/**
 * A task that repeats. `run` gets a signal that aborts when the process stops, and whether somebody asked for this run
 * beside the schedule; what it throws is logged and counted.
 */
export interface Job {
  name: string;
  /** A cron expression with seconds (UTC), or milliseconds between the end of one run and the start of the next. */
  every: string | number;
  run(signal: AbortSignal, asked: boolean): Promise<unknown>;
}

export interface JobStatus {
  name: string;
  running: boolean;
  lastRunAt: Date | null;
  lastResult: string | null;
  nextRunAt: Date | null;
}

const STOP_LIMIT_MS = 15_000;
const START_RETRY_MAX_MS = 30_000;
const SETTLE_MS = 250;

/**
 * Jobs, the outbox relay and queue consumers. Modules register in `onModuleInit`; `BackgroundRuntime` starts them.
 * Nest's timer decorators are not used: they start before other bootstrap hooks.
 */
@Injectable()
export class BackgroundWork {
  private readonly tasks: BackgroundTask[] = [];
  private readonly jobs = new Map<string, RepeatingJob>();
  private readonly stopping = new AbortController();
  /** Of the tasks that are registered; a later one starts at once. */
  private started = false;
  private gate: () => void = () => undefined;
  state: 'waiting' | 'initialized' | 'stopped' = 'waiting';

  constructor(
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  /** A condition that must hold before anything starts; it throws when it does not. The database sets it. */
  requireBeforeStart(gate: () => void): void {
    this.gate = gate;
  }

  registerTask(task: BackgroundTask): void {
    this.tasks.push(task);
    if (this.started && this.state === 'initialized') this.startTask(task);
  }

  registerJob(job: Job): void {
    if (this.jobs.has(job.name)) throw new Error(`job ${job.name} is registered twice`);
    const repeating = new RepeatingJob(job, this.log, this.stopping.signal);
    this.jobs.set(job.name, repeating);
    this.registerTask({ name: job.name, start: () => repeating.schedule(), stop: () => repeating.settled() });
  }

  jobStatus(): JobStatus[] {
    return [...this.jobs.values()].map((job) => job.status());
  }

  /** Runs a job once, now, and waits for it; undefined when there is no such job, false when it is running already. */
  async runJob(name: string): Promise<boolean | undefined> {
    const job = this.jobs.get(name);
    return job === undefined ? undefined : job.runOnce(true);
  }

  /** The tasks follow after a moment: each opens a connection and looks for work, and the first requests go before that. */
  start(): void {
    this.gate();
    this.state = 'initialized';
    if (this.config.ROLE !== 'api') setTimeout(() => this.startTasks(), SETTLE_MS).unref();
    this.log.info('background.started', { tasks: this.config.ROLE === 'api' ? 0 : this.tasks.length });
  }

  private startTasks(): void {
    this.started = true;
    if (this.state === 'initialized') for (const task of this.tasks) this.startTask(task);
  }

  /** A task that cannot start is reported and tried again with backoff; it neither fails the boot nor stops the others. */
  private startTask(task: BackgroundTask, delayMs = 500): void {
    void (async () => {
      try {
        await task.start();
      } catch (error) {
        this.log.error('job.failed', { job: task.name, stage: 'start', err: error });
        const timer = setTimeout(
          () => {
            if (this.state === 'initialized') this.startTask(task, Math.min(delayMs * 2, START_RETRY_MAX_MS));
          },
          delayMs + jitter(delayMs),
        );
        timer.unref();
      }
    })();
  }

  /** Takes no new work and waits, at most 15 s, for what runs. */
  async stop(): Promise<void> {
    if (this.state === 'stopped') return;
    this.state = 'stopped';
    this.stopping.abort();
    const limit = new Promise<void>((resolve) => setTimeout(resolve, STOP_LIMIT_MS).unref());
    await Promise.race([Promise.allSettled(this.tasks.map(async (task) => task.stop())), limit]);
  }
}

class RepeatingJob {
  private running: Promise<void> | undefined;
  private cron: CronJob | undefined;
  private scheduling: Promise<void> | undefined;
  /** Of a job with a pause; cron jobs know their own. */
  private nextRunAt: Date | null = null;
  private lastRunAt: Date | null = null;
  private lastResult: string | null = null;

  constructor(
    private readonly job: Job,
    private readonly log: Log,
    private readonly signal: AbortSignal,
  ) {}

  async schedule(): Promise<void> {
    const { every } = this.job;
    if (typeof every === 'number') return this.scheduleIn(every);
    this.scheduling = this.scheduleAt(every);
    await this.scheduling;
  }

  private async scheduleAt(every: string): Promise<void> {
    const { CronJob } = await import('cron');
    if (this.signal.aborted) return;
    this.cron = CronJob.from({
      cronTime: every,
      onTick: () => void this.runOnce(),
      start: true,
      timeZone: 'UTC',
      unrefTimeout: true,
    });
    this.signal.addEventListener('abort', () => void this.cron?.stop(), { once: true });
  }

  private scheduleIn(ms: number): void {
    if (this.signal.aborted) return;
    this.nextRunAt = new Date(now().getTime() + ms);
    setTimeout(() => void this.runOnce().then(() => this.scheduleIn(ms)), ms).unref();
  }

  /** False when it was running already. Never rejects. */
  async runOnce(asked = false): Promise<boolean> {
    if (this.running || this.signal.aborted) return false;
    this.running = this.attempt(asked);
    await this.running;
    this.running = undefined;
    return true;
  }

  private async attempt(asked: boolean): Promise<void> {
    const job = this.job.name;
    const startedAt = monotonicMs();
    this.lastRunAt = now();
    try {
      await spanned({ name: `job ${job}`, facts: { 'job.name': job } }, async () => this.job.run(this.signal, asked));
      this.lastResult = 'ok';
      metrics.jobLastSuccess.set({ job }, Math.floor(this.lastRunAt.getTime() / 1000));
    } catch (error) {
      this.lastResult = 'failed';
      this.log.error('job.failed', { job, dur_ms: Math.round(monotonicMs() - startedAt), err: error });
    }
    metrics.jobRuns.inc({ job, result: this.lastResult });
  }

  async settled(): Promise<void> {
    await this.scheduling;
    await this.running;
  }

  status(): JobStatus {
    const { lastRunAt, lastResult } = this;
    const nextRunAt = this.cron?.nextDate().toJSDate() ?? this.nextRunAt;
    return { name: this.job.name, running: this.running !== undefined, lastRunAt, lastResult, nextRunAt };
  }
}
