import type { ClientBase, QueryArrayResult } from 'pg';

import type { LiveSchema } from './live-schema.js';
import { liveSchemaSql, schemaIn } from './manifest-read.js';
import { lifecycleTables, literal, type LifecycleTables } from './tables.js';

export interface HistoryRow {
  id: string;
  migration_name: string;
  checksum: string;
  started_at: string;
  finished_at: string | null;
  rolled_back_at: string | null;
  logs: string | null;
}

export interface SeedRow {
  name: string;
  version: number;
  checksum: string;
  history_id: string;
}

/** A file that failed with an error that will happen again; not run until somebody decides (`resolve --retry`). */
export interface Quarantine {
  migration: string;
  checksum: string;
  error: string;
  code: string | null;
}

/** Everything a decision needs, read in one snapshot. */
export interface DatabaseState {
  /** Null: no history table. */
  history: HistoryRow[] | null;
  /** The application schema holds nothing but, perhaps, the history. */
  empty: boolean;
  /** The lifecycle's own tables are there. */
  home: boolean;
  seeds: SeedRow[];
  minEpoch: number;
  quarantined: Quarantine[];
  /** Null when structure is not verified: no manifest, or nothing there yet. */
  live: LiveSchema | null;
  fingerprint: string | null;
}

export const isApplied = (row: HistoryRow): boolean => row.finished_at !== null && row.rolled_back_at === null;
export const isUnfinished = (row: HistoryRow): boolean => row.finished_at === null && row.rolled_back_at === null;

/** Identity of a database's history: seeds belong to it and run again after a reset. '' when nothing was applied. */
export function historyId(history: readonly HistoryRow[] | null): string {
  const applied = (history ?? []).filter(isApplied);
  applied.sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
  return applied[0]?.id ?? '';
}

/** Which tables there are. */
export interface Found {
  history: boolean;
  home: boolean;
  /** The application schema holds nothing but, perhaps, the history. */
  empty: boolean;
}

/** The columns of `Found`, in this order. Whatever lies in a schema depends on it; what an extension brought does not count. */
export const foundColumns = (t: LifecycleTables): string => `
         to_regclass(${literal(t.history)}) IS NOT NULL AS history,
         to_regclass(${literal(t.audit)}) IS NOT NULL AS home,
         NOT EXISTS (
           SELECT FROM pg_depend d
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = to_regnamespace(${literal(t.schema)})::oid
              AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass) AND d.deptype = 'n'
              AND NOT (d.classid = 'pg_class'::regclass AND d.objid = coalesce(to_regclass(${literal(t.history)})::oid, 0))
              AND NOT EXISTS (
                SELECT FROM pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
         ) AS empty`;

const readRows = (t: LifecycleTables, found: Found): string => `
  SELECT ${
    found.history
      ? `(SELECT coalesce(json_agg(h ORDER BY h.migration_name, h.started_at), '[]') FROM (
           SELECT id, migration_name, checksum, started_at, finished_at, rolled_back_at, left(logs, 2000) AS logs
             FROM ${t.history}) h)`
      : 'NULL::json'
  } AS history, ${
    found.home
      ? `(SELECT coalesce(json_agg(s), '[]') FROM (SELECT name, version, checksum, history_id FROM ${t.seeds}) s) AS seeds,
         (SELECT coalesce(max(min_epoch), 0) FROM ${t.meta}) AS min_epoch,
         (SELECT coalesce(json_agg(q), '[]') FROM (
            SELECT DISTINCT ON (migration, checksum) migration, checksum, action,
                   detail->>'error' AS error, detail->>'code' AS code
              FROM ${t.audit} WHERE action IN ('migration.quarantined', 'migration.retry')
             ORDER BY migration, checksum, id DESC) q
           WHERE q.action = 'migration.quarantined') AS quarantined`
      : `'[]'::json AS seeds, 0 AS min_epoch, '[]'::json AS quarantined`
  }`;

export interface ReadOptions {
  /** Whether to read the schema itself: without a manifest nobody compares it. */
  structure: boolean;
  /** Whose rights on tables are looked at; default: the current role. */
  appRole?: string;
  /** As seen a moment ago: saves a round trip while it is still so. */
  found?: Found;
  /** Statements for the transaction, each ended by a semicolon. */
  settings?: string;
}

/** Reads the state in a read-only transaction of its own, in one message; locks nothing. */
export async function readState(client: ClientBase, schema: string, options: ReadOptions): Promise<DatabaseState> {
  const t = lifecycleTables(schema);
  const { appRole, settings = '' } = options;
  const find = `SELECT ${foundColumns(t)}`;
  let found = options.found ?? (await client.query<Found>(find)).rows[0];
  if (!found) throw new Error('the catalog answered nothing');
  // Before the first migration there is nothing to compare, and the catalog read is the dearest part.
  const readsStructure = (seen: Found): boolean => options.structure && (seen.history || !seen.empty);
  try {
    for (;;) {
      const reads = readsStructure(found);
      const wanted = [find, readRows(t, found), ...(reads ? [liveSchemaSql(schema, appRole)] : []), 'COMMIT'];
      const results = await messageOf(client, `${BEGIN};\n${settings}${wanted.join(';\n')}`);
      const [seen, kept, ...objects] = results.slice(reads ? -6 : -3);
      const [history, home, empty] = (seen?.rows[0] ?? []) as [boolean, boolean, boolean];
      const before = found;
      found = { history, home, empty };
      // Somebody made or dropped them meanwhile: it was the wrong question.
      if (before.history !== history || before.home !== home || readsStructure(found) !== reads) continue;
      const [rows, seeds, minEpoch, quarantined] = (kept?.rows[0] ?? []) as Kept;
      const live = reads ? schemaIn(schema, objects) : null;
      const fingerprint = live?.fingerprint ?? null;
      return { history: rows, empty, home, seeds, minEpoch, quarantined, live, fingerprint };
    }
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

const BEGIN = 'BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY';

type Kept = [history: HistoryRow[] | null, seeds: SeedRow[], minEpoch: number, quarantined: Quarantine[]];

/** One message of several statements: a result for each, rows as arrays. */
async function messageOf(client: ClientBase, text: string): Promise<QueryArrayResult[]> {
  const results: unknown = await client.query({ text, rowMode: 'array' });
  return results as QueryArrayResult[];
}
