import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

export interface Backlog {
  depth: number;
  oldestSeconds: number;
}

/** Rows that wait in the outbox, and for how long the first of them has. */
export async function outboxBacklog(db: Db): Promise<Backlog> {
  const [row] = await db.query<Backlog & Record<string, unknown>>(sql`
    SELECT count(*) AS depth,
           coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS "oldestSeconds"
    FROM outbox`);
  return row ?? { depth: 0, oldestSeconds: 0 };
}

export interface Migrations {
  applied: number;
  failed: number;
  head: string | null;
}

/** The history of this database; failed are those that began, neither finished nor were rolled back. */
export async function migrationHistory(db: Db): Promise<Migrations> {
  const [row] = await db.query<Migrations & Record<string, unknown>>(sql`
    SELECT count(*) FILTER (WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL) AS applied,
           count(*) FILTER (WHERE finished_at IS NULL AND rolled_back_at IS NULL) AS failed,
           max(migration_name) FILTER (WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL) AS head
    FROM _prisma_migrations`);
  return row ?? { applied: 0, failed: 0, head: null };
}

/** Work that was given up, by queue. */
export const deadLetterCounts = (db: Db): Promise<{ queue: string; count: number }[]> =>
  db.query<{ queue: string; count: number }>(sql`
    SELECT queue, count(*) AS count FROM dead_letters WHERE replayed_at IS NULL GROUP BY queue ORDER BY queue`);
