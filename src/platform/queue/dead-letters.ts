import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../database/database.service.js';
import type { Db } from '../database/db.js';
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

export interface QueueDepth {
  queue: string;
  waiting: number;
  /** Not due yet: delayed, backing off, or being worked on. */
  later: number;
  oldestSeconds: number;
  deadLetters: number;
}

/** Outbox and work share one table, so what is replayed goes back to where it came from. */
@Injectable()
export class DeadLetters {
  constructor(private readonly database: DatabaseService) {}

  /** Newest first. */
  list(queue: string | undefined, before: string | null, limit: number): Promise<DeadLetter[]> {
    return this.database.query<DeadLetter & Record<string, unknown>>(sql`
      SELECT id, queue, topic, payload, reason, attempts, created_at AS "createdAt", replayed_at AS "replayedAt"
      FROM dead_letters
      WHERE (${queue ?? null}::text IS NULL OR queue = ${queue ?? null}) AND (${before}::uuid IS NULL OR id < ${before}::uuid)
      ORDER BY id DESC LIMIT ${limit}`);
  }

  /** Puts the work back with all its tries; false when there is no such letter. Replaying again works again. */
  async replay(id: string, db: Db = this.database): Promise<boolean> {
    const replayed = await db.execute(sql`
      WITH letter AS (UPDATE dead_letters SET replayed_at = now() WHERE id = ${id} RETURNING topic, payload)
      INSERT INTO outbox (topic, key, payload) SELECT topic, payload->>'key', payload->'payload' FROM letter`);
    return replayed > 0;
  }

  /** Answers how many there were, one or none. */
  async remove(id: string, db: Db = this.database): Promise<number> {
    return db.execute(sql`DELETE FROM dead_letters WHERE id = ${id}`);
  }

  /** Every queue that has or had work. */
  depths(): Promise<QueueDepth[]> {
    return this.database.query<QueueDepth & Record<string, unknown>>(sql`
      WITH waiting AS (
        SELECT CASE WHEN topic LIKE 'work.%' THEN substr(topic, 6) ELSE 'outbox' END AS queue, next_at, created_at FROM outbox),
      letters AS (SELECT queue, count(*) AS n FROM dead_letters WHERE replayed_at IS NULL GROUP BY queue)
      SELECT coalesce(w.queue, l.queue) AS queue, count(*) FILTER (WHERE w.next_at <= now()) AS waiting,
             count(*) FILTER (WHERE w.next_at > now()) AS later,
             coalesce(extract(epoch FROM now() - min(w.created_at)), 0)::float8 AS "oldestSeconds",
             coalesce(max(l.n), 0) AS "deadLetters"
      FROM waiting w FULL JOIN letters l USING (queue) GROUP BY 1 ORDER BY 1`);
  }
}
