import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

const ROWS = 50;
const LONG_TRANSACTION_S = 5;

/** Blocks found in PostgreSQL's own cache, and read from outside it, since its statistics began. */
export interface BlockCounts {
  hit: number;
  read: number;
}

export async function blockCounts(db: Db): Promise<BlockCounts> {
  const [row] = await db.query<BlockCounts & Record<string, unknown>>(
    sql`SELECT blks_hit AS hit, blks_read AS read FROM pg_stat_database WHERE datname = current_database()`,
  );
  return row ?? { hit: 0, read: 0 };
}

/**
 * Asking for the size of what somebody holds for himself alone, or waits to, would wait too, and with it the page on
 * which the locks are seen. Its size is then what the last vacuum or analyze found.
 */
const held = sql`held AS MATERIALIZED (
  SELECT relation FROM pg_locks WHERE mode = 'AccessExclusiveLock'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`;
const lastKnownSize = sql`c.relpages * current_setting('block_size')::bigint`;

export interface TableStatistics {
  table: string;
  bytes: number;
  rows: number;
  deadRows: number;
  sequentialScans: number;
  sequentialRows: number;
  indexScans: number;
  lastVacuum: Date | null;
  lastAnalyze: Date | null;
}

/** The largest tables first. */
export const tableStatistics = (db: Db): Promise<TableStatistics[]> =>
  db.query<TableStatistics & Record<string, unknown>>(sql`
    WITH ${held}
    SELECT s.relname AS table, n_live_tup AS rows, n_dead_tup AS "deadRows",
           CASE WHEN EXISTS (SELECT FROM held WHERE relation IN (s.relid, c.reltoastrelid)
                               OR relation IN (SELECT indexrelid FROM pg_index WHERE indrelid = s.relid))
                THEN ${lastKnownSize} ELSE pg_total_relation_size(s.relid) END AS bytes,
           seq_scan AS "sequentialScans", seq_tup_read AS "sequentialRows", coalesce(idx_scan, 0) AS "indexScans",
           greatest(last_vacuum, last_autovacuum) AS "lastVacuum", greatest(last_analyze, last_autoanalyze) AS "lastAnalyze"
    FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid WHERE schemaname = current_schema()
    ORDER BY bytes DESC, s.relname LIMIT ${ROWS}`);

export interface IndexStatistics {
  table: string;
  index: string;
  bytes: number;
  scans: number;
  unique: boolean;
}

export const indexStatistics = (db: Db): Promise<IndexStatistics[]> =>
  db.query<IndexStatistics & Record<string, unknown>>(sql`
    WITH ${held}
    SELECT s.relname AS table, s.indexrelname AS index, s.idx_scan AS scans, i.indisunique AS unique,
           CASE WHEN s.indexrelid IN (SELECT relation FROM held)
                THEN ${lastKnownSize} ELSE pg_relation_size(s.indexrelid) END AS bytes
    FROM pg_stat_user_indexes s JOIN pg_index i ON i.indexrelid = s.indexrelid JOIN pg_class c ON c.oid = s.indexrelid
    WHERE s.schemaname = current_schema() ORDER BY bytes DESC, s.indexrelname LIMIT ${4 * ROWS}`);

export interface LongTransaction {
  pid: number;
  application: string;
  state: string | null;
  seconds: number;
  waitsFor: string | null;
}

/** No query texts: those of others may hold values. */
export const longTransactions = (db: Db): Promise<LongTransaction[]> =>
  db.query<LongTransaction & Record<string, unknown>>(sql`
    SELECT pid, application_name AS application, state,
           extract(epoch FROM clock_timestamp() - xact_start)::float8 AS seconds,
           nullif(concat_ws(':', wait_event_type, wait_event), '') AS "waitsFor"
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND xact_start < clock_timestamp() - make_interval(secs => ${LONG_TRANSACTION_S})
    ORDER BY xact_start LIMIT ${ROWS}`);

export interface LockWait {
  pid: number;
  application: string;
  blockedBy: number[];
  mode: string;
  relation: string | null;
  seconds: number | null;
}

/** Who waits for whom. */
export const lockWaits = (db: Db): Promise<LockWait[]> =>
  db.query<LockWait & Record<string, unknown>>(sql`
    SELECT a.pid, a.application_name AS application, pg_blocking_pids(a.pid) AS "blockedBy", l.mode,
           l.relation::regclass::text AS relation,
           extract(epoch FROM clock_timestamp() - a.query_start)::float8 AS seconds
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE NOT l.granted AND a.datname = current_database() ORDER BY a.query_start LIMIT ${ROWS}`);
