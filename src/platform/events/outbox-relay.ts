import { Injectable, type OnModuleInit } from '@nestjs/common';
import { jitter, newId } from '../clock/clock.js';
import { isOutage } from '../database/database-error.js';
import { DatabaseService } from '../database/database.service.js';
import { sql } from '../database/sql.js';
import { BackgroundWork } from '../lifecycle/background-work.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { spanned, splitTrace } from '../logging/tracing.js';
import { PollLoop } from '../queue/poll-loop.js';
import type { DeliveredEvent } from './domain-event.js';
import { type BatchHandler, EventHandlers } from './event-handlers.js';
import { EventsService } from './events.service.js';

interface OutboxRow {
  id: number;
  topic: string;
  key: string;
  payload: Record<string, unknown>;
  attempts: number;
  /** Of the trace in which the event came about. */
  traceparent: string | undefined;
}

const BATCH = 200;
/** Least time between the beginnings of two passes, so that under load a pass takes many rows. */
const GATHER_MS = 50;
/** A relay that dies leaves its rows claimed this long; then another one takes them. */
const CLAIM_S = 30;
const MAX_ATTEMPTS = 10;
const MAX_BACKOFF_S = 300;

/**
 * Hands outbox rows to their `@Durable` handlers, at least once each. Any replica may relay: rows are claimed with SKIP
 * LOCKED, never by "id greater than the last one", because ids commit out of order. What keeps failing ends in the
 * dead-letter list after ten tries and never holds up the rows behind it.
 */
@Injectable()
export class OutboxRelay implements OnModuleInit {
  private readonly loop = new PollLoop(() => this.pass(), GATHER_MS);

  constructor(
    private readonly database: DatabaseService,
    private readonly handlers: EventHandlers,
    private readonly events: EventsService,
    private readonly background: BackgroundWork,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.events.onAnnounced(() => this.loop.hurry());
    this.background.registerTask({
      name: 'outbox.relay',
      start: () => this.loop.start(),
      stop: () => this.loop.stop(),
    });
  }

  /** One batch; true when there may be more. Never rejects. */
  async pass(): Promise<boolean> {
    try {
      const rows = await this.claim();
      if (rows.length === 0) return false;
      const done: number[] = [];
      for (const [topic, group] of Map.groupBy(rows, (row) => row.topic))
        // One by one only what is part of a recorded trace: its handlers, and the work they give out, belong to it.
        for (const [traceparent, part] of Map.groupBy(group, (row) => row.traceparent))
          done.push(...(await this.deliver(topic, part, traceparent)));
      if (done.length > 0) await this.database.execute(sql`DELETE FROM outbox WHERE id = ANY(${done}::bigint[])`);
      return rows.length === BATCH;
    } catch (error) {
      if (!isOutage(error)) this.log.error('outbox.stalled', { err: error });
      return false;
    }
  }

  private async claim(): Promise<OutboxRow[]> {
    const rows = await this.database.query<Omit<OutboxRow, 'traceparent'> & Record<string, unknown>>(sql`
      UPDATE outbox SET attempts = attempts + 1, next_at = now() + make_interval(secs => ${CLAIM_S})
      WHERE id = ANY(ARRAY(SELECT id FROM outbox WHERE next_at <= now() AND topic NOT LIKE 'work.%'
                               ORDER BY next_at, id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))
      RETURNING id, topic, key, payload, attempts`);
    return rows.map((row) => ({ ...row, ...splitTrace(row.payload) }));
  }

  /** Answers the ids of the rows that are finished with: handled by all, of interest to nobody, or given up. */
  private async deliver(topic: string, rows: OutboxRow[], traceparent: string | undefined): Promise<number[]> {
    const handlers = this.handlers.durableFor(topic);
    const failed = new Map<number, unknown>();
    for (const { name, handle, handleMany } of handlers) {
      const start = {
        name: `event ${topic}`,
        kind: 'consumer',
        facts: { 'event.topic': topic, handler: name },
        traceparent,
      } as const;
      if (handleMany && (await spanned(start, () => this.tryMany(name, handleMany, rows)))) continue;
      for (const row of rows) {
        try {
          await spanned(start, async () => handle(asEvent(row)));
        } catch (error) {
          failed.set(row.id, error);
          this.log.warn('event.failed', { topic, handler: name, attempts: row.attempts, err: error });
        }
      }
    }
    const finished = rows.filter((row) => !failed.has(row.id)).map(({ id }) => id);
    for (const row of rows)
      if (failed.has(row.id) && (await this.postpone(row, failed.get(row.id)))) finished.push(row.id);
    return finished;
  }

  /** All rows in one call; when that fails they are tried one by one, so that a bad one does not take the others along. */
  private async tryMany(name: string, handle: BatchHandler, rows: OutboxRow[]): Promise<boolean> {
    if (rows.length === 1) return false;
    try {
      await handle(rows.map(asEvent));
      return true;
    } catch (error) {
      this.log.warn('event.batch_failed', { handler: name, size: rows.length, err: error });
      return false;
    }
  }

  /** Backs off, or gives the row up into the dead-letter list and answers true. An outage is nobody's fault and costs no try. */
  private async postpone(row: OutboxRow, error: unknown): Promise<boolean> {
    if (row.attempts >= MAX_ATTEMPTS && !isOutage(error)) {
      const reason = error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 500) : 'failed';
      await this.database.execute(sql`
        INSERT INTO dead_letters (id, queue, topic, payload, reason, attempts)
        VALUES (${newId()}, 'outbox', ${row.topic}, ${JSON.stringify({ key: row.key, payload: row.payload })}::jsonb, ${reason}, ${row.attempts})`);
      metrics.deadLetters.inc({ queue: 'outbox' });
      return true;
    }
    const backoff = Math.min(2 ** row.attempts, MAX_BACKOFF_S);
    await this.database.execute(sql`
      UPDATE outbox SET next_at = now() + make_interval(secs => ${backoff + jitter(backoff * 500) / 1000}),
                        attempts = ${isOutage(error) ? row.attempts - 1 : row.attempts}
      WHERE id = ${row.id}`);
    return false;
  }
}

const asEvent = ({ id, topic, key, payload }: OutboxRow): DeliveredEvent => ({
  id: `outbox-${id}`,
  topic,
  key,
  payload,
});
