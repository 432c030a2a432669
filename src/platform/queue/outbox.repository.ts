import type { Db } from '../database/db.js';
import { sql } from '../database/sql.js';
import { withTrace } from '../logging/tracing.js';
import { CLAIM_S } from './attempts.js';
import type { Backlog, WorkItem } from './delayed-work.js';

/** Rows of the outbox under such a topic are work: the relay of events leaves them alone. */
export const WORK_TOPIC = 'work.';

export interface WorkRow {
  id: number;
  topic: string;
  key: string;
  payload: Record<string, unknown>;
  attempts: number;
}

export async function insertWork(db: Db, items: readonly WorkItem[]): Promise<void> {
  await db.execute(sql`
    INSERT INTO outbox (topic, key, payload, next_at)
    SELECT ${WORK_TOPIC} || i.queue, i.key, i.payload::jsonb, now() + make_interval(secs => i.delay / 1000.0)
    FROM unnest(${items.map(({ queue }) => queue)}::text[], ${items.map(({ key }) => key)}::text[],
                ${items.map(({ payload }) => JSON.stringify(withTrace(payload)))}::text[],
                ${items.map(({ delayMs = 0 }) => delayMs)}::float8[]) AS i (queue, key, payload, delay)`);
}

/** Takes what is due, of one queue or of all, for as long as a worker may need. */
export const claimWork = (db: Db, queue: string | null, limit: number): Promise<WorkRow[]> =>
  db.query<WorkRow & Record<string, unknown>>(sql`
    UPDATE outbox SET attempts = attempts + 1, next_at = now() + make_interval(secs => ${CLAIM_S})
    WHERE id = ANY(ARRAY(
      SELECT id FROM outbox WHERE next_at <= now() AND ${queue === null ? sql`topic LIKE 'work.%'` : sql`topic = ${WORK_TOPIC + queue}`}
      ORDER BY next_at, id LIMIT ${limit} FOR UPDATE SKIP LOCKED))
    RETURNING id, topic, key, payload, attempts`);

export async function finishWork(db: Db, ids: readonly number[]): Promise<void> {
  if (ids.length === 0) return;
  await db.execute(sql`DELETE FROM outbox WHERE id = ANY(${ids}::bigint[])`);
}

export async function postponeWork(db: Db, ids: readonly number[], pauseMs: number, counts: boolean): Promise<void> {
  if (ids.length === 0) return;
  await db.execute(sql`
    UPDATE outbox SET next_at = now() + make_interval(secs => ${pauseMs / 1000}), attempts = attempts - ${counts ? 0 : 1}::int
    WHERE id = ANY(${ids}::bigint[])`);
}

/** What waits in the outbox: work by its queue, events together as `outbox`. */
export const outboxBacklog = (db: Db): Promise<Backlog[]> =>
  db.query<Backlog & Record<string, unknown>>(sql`
    SELECT CASE WHEN topic LIKE 'work.%' THEN substr(topic, 6) ELSE 'outbox' END AS queue,
           count(*) FILTER (WHERE next_at <= now()) AS waiting, count(*) FILTER (WHERE next_at > now()) AS later,
           coalesce(extract(epoch FROM now() - min(next_at) FILTER (WHERE next_at <= now())), 0)::float8 AS "oldestSeconds"
    FROM outbox GROUP BY 1 ORDER BY 1`);
