import { newId } from '../clock/clock.js';
import type { Db, Tx } from '../database/db.js';
import { sql } from '../database/sql.js';

/** Work that was given up. */
export interface DeadLetter {
  id: string;
  queue: string;
  topic: string;
  /** The `key` and `payload` it had: ids and positions. */
  payload: Record<string, unknown>;
  reason: string;
  attempts: number;
  createdAt: Date;
  replayedAt: Date | null;
}

/** A row of the outbox becomes a letter: one statement, so the letter is there if and only if the row is gone. */
export async function buryRow(db: Db, letter: Pick<DeadLetter, 'queue' | 'reason'> & { rowId: number }): Promise<void> {
  await db.execute(sql`
    WITH gone AS (DELETE FROM outbox WHERE id = ${letter.rowId} RETURNING topic, key, payload, attempts)
    INSERT INTO dead_letters (id, queue, topic, payload, reason, attempts)
    SELECT ${newId()}, ${letter.queue}, topic, jsonb_build_object('key', key, 'payload', payload), ${letter.reason}, attempts FROM gone`);
}

export async function insertLetter(
  db: Db,
  { queue, topic, payload, reason, attempts }: Pick<DeadLetter, 'queue' | 'topic' | 'payload' | 'reason' | 'attempts'>,
): Promise<void> {
  await db.execute(sql`
    INSERT INTO dead_letters (id, queue, topic, payload, reason, attempts)
    VALUES (${newId()}, ${queue}, ${topic}, ${JSON.stringify(payload)}::jsonb, ${reason}, ${attempts})`);
}

/** Newest first. */
export const listLetters = (
  db: Db,
  queue: string | undefined,
  before: string | null,
  limit: number,
): Promise<DeadLetter[]> =>
  db.query<DeadLetter & Record<string, unknown>>(sql`
    SELECT id, queue, topic, payload, reason, attempts, created_at AS "createdAt", replayed_at AS "replayedAt"
    FROM dead_letters
    WHERE (${queue ?? null}::text IS NULL OR queue = ${queue ?? null}) AND (${before}::uuid IS NULL OR id < ${before}::uuid)
    ORDER BY id DESC LIMIT ${limit}`);

/** Notes that it is taken up again; undefined when there is no such letter. */
export async function markReplayed(
  tx: Tx,
  id: string,
): Promise<{ topic: string; key: string; payload: Record<string, unknown> } | undefined> {
  const [letter] = await tx.query<{ topic: string; key: string; payload: Record<string, unknown> }>(sql`
    UPDATE dead_letters SET replayed_at = now() WHERE id = ${id}
    RETURNING topic, coalesce(payload->>'key', '') AS key, coalesce(payload->'payload', '{}') AS payload`);
  return letter;
}

export const deleteLetter = (db: Db, id: string): Promise<number> =>
  db.execute(sql`DELETE FROM dead_letters WHERE id = ${id}`);

/** By queue, without those that were replayed. */
export const countLetters = (db: Db): Promise<{ queue: string; count: number }[]> =>
  db.query<{ queue: string; count: number }>(
    sql`SELECT queue, count(*) FROM dead_letters WHERE replayed_at IS NULL GROUP BY queue`,
  );
