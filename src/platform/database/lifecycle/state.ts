import type { ClientBase } from 'pg';

import { fingerprint } from './manifest-fingerprint.js';
import { readLiveObjects } from './manifest-read.js';
import type { SchemaObject } from './manifest.js';
import type { LifecycleTables } from './tables.js';
import { literal } from './tables.js';

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
  live: SchemaObject[] | null;
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

interface Found {
  history: boolean;
  home: boolean;
  empty: boolean;
}

const findTables = (t: LifecycleTables): string => `
  SELECT to_regclass(${literal(t.history)}) IS NOT NULL AS history,
         to_regclass(${literal(t.audit)}) IS NOT NULL AS home,
         NOT EXISTS (
           SELECT FROM (
             SELECT c.oid, 'pg_class'::regclass AS catalog FROM pg_class c
              WHERE c.relnamespace = s.oid AND c.relkind IN ('r','p','v','m','S','f') AND c.relname <> '_prisma_migrations'
             UNION ALL
             SELECT p.oid, 'pg_proc'::regclass FROM pg_proc p WHERE p.pronamespace = s.oid
             UNION ALL
             SELECT y.oid, 'pg_type'::regclass FROM pg_type y WHERE y.typnamespace = s.oid AND y.typtype IN ('e','d','r')
           ) o WHERE NOT EXISTS (
             SELECT FROM pg_depend d WHERE d.classid = o.catalog AND d.objid = o.oid AND d.deptype = 'e')
         ) AS empty
    FROM (SELECT to_regnamespace(${literal(t.schema)})::oid AS oid) s`;

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

/** Reads the state inside a transaction that the caller opened; locks nothing. */
export async function readState(
  client: ClientBase,
  t: LifecycleTables,
  schema: string,
  structure: { read: boolean; appRole?: string },
): Promise<DatabaseState> {
  const found = (await client.query<Found>(findTables(t))).rows[0];
  if (!found) throw new Error('the catalog answered nothing');
  const { rows } = await client.query<{
    history: HistoryRow[] | null;
    seeds: SeedRow[];
    min_epoch: number;
    quarantined: Quarantine[];
  }>(readRows(t, found));
  // Before the first migration there is nothing to compare, and the catalog read is the dearest part.
  const live =
    structure.read && (found.history || !found.empty) ? await readLiveObjects(client, schema, structure.appRole) : null;
  return {
    history: rows[0]?.history ?? null,
    empty: found.empty,
    home: found.home,
    seeds: rows[0]?.seeds ?? [],
    minEpoch: rows[0]?.min_epoch ?? 0,
    quarantined: rows[0]?.quarantined ?? [],
    live,
    fingerprint: live === null ? null : fingerprint(live),
  };
}
