import { Injectable } from '@nestjs/common';
import { jitter, newId } from '../clock/clock.js';
import { isOutage } from '../database/database-error.js';
import { DatabaseService } from '../database/database.service.js';
import type { Db, Tx } from '../database/db.js';
import { sql } from '../database/sql.js';
import { BackgroundWork } from '../lifecycle/background-work.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { spanned } from '../logging/tracing.js';
import { DelayedWork, RetryLater, type Worker, type WorkItem } from './delayed-work.js';

/** Rows of the outbox under such a topic are work: the relay of events leaves them alone. */
export const WORK_TOPIC = 'work.';

interface WorkRow {
  id: number;
  key: string;
  payload: Record<string, unknown>;
  attempts: number;
}

const POLL_MS = 1000;
/** A worker that dies leaves its rows claimed this long. Handlers take less. */
const CLAIM_S = 60;
const MAX_ATTEMPTS = 10;
const MAX_BACKOFF_S = 300;

/** Work as rows of the outbox that are due later: nothing to install, and one transaction with what caused it. */
@Injectable()
export class OutboxWork extends DelayedWork {
  private readonly consumers = new Map<string, Consumer>();

  constructor(
    private readonly database: DatabaseService,
    private readonly background: BackgroundWork,
    private readonly log: Log,
  ) {
    super();
  }

  async add(items: readonly WorkItem[], db: Db = this.database): Promise<void> {
    if (items.length === 0) return;
    await db.execute(sql`
      INSERT INTO outbox (topic, key, payload, next_at)
      SELECT ${WORK_TOPIC} || i.queue, i.key, i.payload::jsonb, now() + make_interval(secs => i.delay / 1000.0)
      FROM unnest(${items.map(({ queue }) => queue)}::text[], ${items.map(({ key }) => key)}::text[],
                  ${items.map(({ payload }) => JSON.stringify(payload))}::text[],
                  ${items.map(({ delayMs = 0 }) => delayMs)}::float8[]) AS i (queue, key, payload, delay)`);
    const soonest = new Map<string, number>();
    for (const { queue, delayMs = 0 } of items)
      soonest.set(queue, Math.min(delayMs, soonest.get(queue) ?? Number.POSITIVE_INFINITY));
    const hurry = () => soonest.forEach((delayMs, queue) => this.consumers.get(queue)?.hurryIn(delayMs));
    if (isTx(db)) db.afterCommit(hurry);
    else hurry();
  }

  consume(worker: Worker): void {
    const consumer = new Consumer(worker, this.database, this.log);
    this.consumers.set(worker.queue, consumer);
    this.background.registerTask({
      name: `work.${worker.queue}`,
      start: () => consumer.start(),
      stop: () => consumer.stop(),
    });
  }
}

const isTx = (db: Db): db is Tx => 'afterCommit' in db;

class Consumer {
  private readonly stopping = new AbortController();
  private readonly running = new Set<Promise<void>>();
  private loop: Promise<void> | undefined;
  private woken = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly worker: Worker,
    private readonly database: DatabaseService,
    private readonly log: Log,
  ) {}

  start(): void {
    this.loop ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.hurry();
    await this.loop;
    await Promise.all(this.running);
  }

  hurryIn(ms: number): void {
    if (ms <= 0) this.hurry();
    else if (ms < 10 * POLL_MS) setTimeout(() => this.hurry(), ms + 1).unref();
  }

  private hurry(): void {
    this.woken = true;
    this.wake();
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const free = this.worker.concurrency - this.running.size;
      const rows = free > 0 ? await this.claim(free) : [];
      for (const row of rows) {
        const run = this.attempt(row).finally(() => {
          this.running.delete(run);
          this.hurry();
        });
        this.running.add(run);
      }
      if (rows.length === 0 && !this.woken) await this.rest();
      this.woken = false;
    }
  }

  private rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS + jitter(POLL_MS / 5));
      timer.unref();
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Never rejects: while the database is away there is nothing to do. */
  private async claim(limit: number): Promise<WorkRow[]> {
    try {
      return await this.database.query<WorkRow & Record<string, unknown>>(sql`
        UPDATE outbox SET attempts = attempts + 1, next_at = now() + make_interval(secs => ${CLAIM_S})
        WHERE id = ANY(ARRAY(
          SELECT id FROM outbox WHERE next_at <= now() AND topic = ${WORK_TOPIC + this.worker.queue}
          ORDER BY next_at, id LIMIT ${limit} FOR UPDATE SKIP LOCKED))
        RETURNING id, key, payload, attempts`);
    } catch (error) {
      if (!isOutage(error)) this.log.error('work.stalled', { queue: this.worker.queue, err: error });
      return [];
    }
  }

  /** Never rejects. What cannot be recorded stays claimed, and comes back when the claim has run out. */
  private async attempt(row: WorkRow): Promise<void> {
    const { key, payload, attempts } = row;
    try {
      const work = { id: `work-${row.id}`, key, payload, attempt: attempts, last: attempts >= MAX_ATTEMPTS };
      const { queue } = this.worker;
      await spanned(
        { name: `work ${queue}`, kind: 'consumer', facts: { 'work.queue': queue, 'work.attempt': attempts } },
        () => this.worker.handle(work),
      ).then(
        () => this.database.execute(sql`DELETE FROM outbox WHERE id = ${row.id}`),
        (error: unknown) => this.failed(row, error),
      );
    } catch (error) {
      this.log.warn('work.not_recorded', { queue: this.worker.queue, err: error });
    }
  }

  /** Backs off, or gives up. An outage of the database is nobody's fault and costs no try. */
  private async failed(row: WorkRow, error: unknown): Promise<void> {
    const { queue } = this.worker;
    this.log.warn('work.failed', { queue, attempts: row.attempts, err: error });
    if (row.attempts >= MAX_ATTEMPTS && !isOutage(error)) {
      const reason = error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 500) : 'failed';
      // One statement: the letter is there if and only if the work is gone.
      await this.database.execute(sql`
        WITH gone AS (DELETE FROM outbox WHERE id = ${row.id} RETURNING topic, key, payload, attempts)
        INSERT INTO dead_letters (id, queue, topic, payload, reason, attempts)
        SELECT ${newId()}, ${queue}, topic, jsonb_build_object('key', key, 'payload', payload), ${reason}, attempts FROM gone`);
      metrics.deadLetters.inc({ queue });
      return;
    }
    const backoff = Math.min(2 ** row.attempts, MAX_BACKOFF_S) * 1000;
    const ms = error instanceof RetryLater ? error.afterMs : backoff / 2 + jitter(backoff);
    await this.database.execute(sql`
      UPDATE outbox SET next_at = now() + make_interval(secs => ${ms / 1000}),
                        attempts = ${isOutage(error) ? row.attempts - 1 : row.attempts}
      WHERE id = ${row.id}`);
    this.hurryIn(ms);
  }
}
