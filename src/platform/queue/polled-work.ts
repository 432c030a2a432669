import { isOutage } from '../database/database-error.js';
import type { Db, Tx } from '../database/db.js';
import type { BackgroundWork } from '../lifecycle/background-work.js';
import type { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { handled, MAX_ATTEMPTS, pauseAfter, reasonOf } from './attempts.js';
import { DelayedWork, type Worker, type WorkItem } from './delayed-work.js';
import { PollLoop } from './poll-loop.js';

/** Work that this process has taken and nobody else has, for a time. */
export interface ClaimedWork {
  /** Stable across repeats. */
  id: string;
  key: string;
  payload: Record<string, unknown>;
  /** With this one. */
  attempts: number;
}

/** Work that every process looks for. What is added here is looked for at once, or when it is due. */
export abstract class PolledWork<Claimed extends ClaimedWork = ClaimedWork> extends DelayedWork {
  private readonly consumers = new Map<string, Consumer<Claimed>>();

  constructor(
    private readonly background: BackgroundWork,
    private readonly log: Log,
  ) {
    super();
  }

  abstract claim(queue: string, limit: number): Promise<Claimed[]>;
  abstract done(queue: string, work: Claimed): Promise<void>;
  /** Frees it for later; an attempt that does not count is forgotten. */
  abstract postpone(queue: string, work: Claimed, pauseMs: number, counts: boolean): Promise<void>;
  /** Into the dead letters: there it is if and only if it is gone here. */
  abstract bury(queue: string, work: Claimed, reason: string): Promise<void>;

  consume(worker: Worker): void {
    const consumer = new Consumer(worker, this, this.log);
    this.consumers.set(worker.queue, consumer);
    this.background.registerTask({
      name: `work.${worker.queue}`,
      start: () => consumer.start(),
      stop: () => consumer.stop(),
    });
  }

  protected get queues(): string[] {
    return [...this.consumers.keys()];
  }

  /** Once `db` has committed. */
  protected hurryFor(items: readonly WorkItem[], db: Db): void {
    afterCommit(db, () => soonest(items).forEach((delayMs, queue) => this.consumers.get(queue)?.hurryIn(delayMs)));
  }
}

/** At once outside a transaction. */
export function afterCommit(db: Db, work: () => void): void {
  if ('afterCommit' in db) (db as Tx).afterCommit(work);
  else work();
}

function soonest(items: readonly WorkItem[]): Map<string, number> {
  const delays = new Map<string, number>();
  for (const { queue, delayMs = 0 } of items) delays.set(queue, Math.min(delayMs, delays.get(queue) ?? delayMs));
  return delays;
}

class Consumer<Claimed extends ClaimedWork> {
  private readonly running = new Set<Promise<void>>();
  private readonly loop = new PollLoop(() => this.pass());

  constructor(
    private readonly worker: Worker,
    private readonly source: PolledWork<Claimed>,
    private readonly log: Log,
  ) {}

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
    await Promise.all(this.running);
  }

  hurryIn(ms: number): void {
    this.loop.hurryIn(ms);
  }

  private async pass(): Promise<boolean> {
    const free = this.worker.concurrency - this.running.size;
    const claimed = free > 0 ? await this.claim(free) : [];
    for (const work of claimed) {
      const run = this.attempt(work).finally(() => {
        this.running.delete(run);
        this.loop.hurry();
      });
      this.running.add(run);
    }
    return claimed.length > 0;
  }

  /** Never rejects: while the database is away there is nothing to do. */
  private async claim(limit: number): Promise<Claimed[]> {
    try {
      return await this.source.claim(this.worker.queue, limit);
    } catch (error) {
      if (!isOutage(error)) this.log.error('work.stalled', { queue: this.worker.queue, err: error });
      return [];
    }
  }

  /** Never rejects. What cannot be recorded stays claimed, and comes back when the claim has run out. */
  private async attempt(work: Claimed): Promise<void> {
    const { id, key, payload, attempts: attempt } = work;
    try {
      await handled(this.worker, { id, key, payload, attempt, last: attempt >= MAX_ATTEMPTS }).then(
        () => this.source.done(this.worker.queue, work),
        (error: unknown) => this.failed(work, error),
      );
    } catch (error) {
      this.log.warn('work.not_recorded', { queue: this.worker.queue, err: error });
    }
  }

  /** Backs off, or gives up. An outage of the database is nobody's fault and costs no try. */
  private async failed(work: Claimed, error: unknown): Promise<void> {
    const { queue } = this.worker;
    const outage = isOutage(error);
    this.log.warn('work.failed', { queue, attempts: work.attempts, err: error });
    if (work.attempts >= MAX_ATTEMPTS && !outage) {
      await this.source.bury(queue, work, reasonOf(error));
      metrics.deadLetters.inc({ queue });
      return;
    }
    const pauseMs = pauseAfter(error, work.attempts);
    await this.source.postpone(queue, work, pauseMs, !outage);
    this.loop.hurryIn(pauseMs);
  }
}
