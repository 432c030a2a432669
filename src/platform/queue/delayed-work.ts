import type { Db } from '../database/db.js';

/** Something to be done by one worker, now or later. `payload` carries ids, never bodies. */
export interface WorkItem {
  queue: string;
  /** What it is about; for tracing. */
  key: string;
  payload: Record<string, unknown>;
  delayMs?: number;
}

/** Work as its handler gets it. */
export interface DueWork {
  /** Stable across repeats. */
  id: string;
  key: string;
  payload: Record<string, unknown>;
  /** 1 at first. */
  attempt: number;
  /** After a failure of this attempt the work goes to the dead letters. */
  last: boolean;
}

export interface Worker {
  queue: string;
  /** How many may run at once in one process. */
  concurrency: number;
  /** Idempotent: the same work may come twice, even at once. A rejection repeats it with backoff. */
  handle(work: DueWork): Promise<void>;
}

/** Thrown by a handler that knows when another attempt makes sense. */
export class RetryLater extends Error {
  constructor(
    readonly afterMs: number,
    reason: string,
  ) {
    super(reason);
    this.name = 'RetryLater';
  }
}

/** What waits in one queue. */
export interface Backlog {
  queue: string;
  /** Due, and with no worker yet. */
  waiting: number;
  /** Not due yet: delayed, backing off, or being worked on. */
  later: number;
  /** Since the first of those that wait became due, in s. */
  oldestSeconds: number;
}

/** At-least-once work with delays, retries and dead letters. The only queue that modules know. */
export abstract class DelayedWork {
  abstract readonly driver: string;
  /** With a transaction as `db` the work exists when it commits, and not otherwise. */
  abstract add(items: readonly WorkItem[], db?: Db): Promise<void>;
  /** For `onModuleInit`. */
  abstract consume(worker: Worker): void;
  /** What waits, by queue; rejects when the queue does not answer. The outbox counts as one. */
  abstract backlog(): Promise<Backlog[]>;
  /** After every `consume`, before any work. */
  async open(): Promise<void> {}
  async close(): Promise<void> {}
}
