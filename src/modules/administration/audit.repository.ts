import type { Db, Tx } from '../../platform/database/db.js';
import { joinSql, sql } from '../../platform/database/sql.js';
import type { AuditFacts } from './audit.rules.js';

export interface AuditRow extends AuditFacts {
  prevHash: string;
  hash: string;
}

export interface AuditFilter {
  actor?: string | undefined;
  action?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** Where the log ends, as it was left with the last entry. */
export interface AuditHead {
  entries: number;
  hash: string;
  seal: string;
}

const LOCK = 0x7061_7564;
const columns = sql`
  id, at, actor_id AS "actorId", action, permission, target_type AS "targetType", target_id AS "targetId", before, after,
  request_id AS "requestId", ip_hash AS "ipHash", prev_hash AS "prevHash", hash`;

/** Lets one transaction at a time add to the chain. */
export const lockLog = (tx: Tx): Promise<number> => tx.execute(sql`SELECT pg_advisory_xact_lock(${LOCK})`);

export async function findHead(db: Db): Promise<AuditHead | undefined> {
  const [row] = await db.query<AuditHead & Record<string, unknown>>(sql`SELECT entries, hash, seal FROM audit_head`);
  return row;
}

export async function lastId(db: Db): Promise<string | null> {
  const [row] = await db.query<{ id: string }>(sql`SELECT id FROM audit_logs ORDER BY id DESC LIMIT 1`);
  return row?.id ?? null;
}

export const setHead = (tx: Tx, { entries, hash, seal }: AuditHead): Promise<number> =>
  tx.execute(sql`
    INSERT INTO audit_head (id, entries, hash, seal) VALUES (1, ${entries}, ${hash}, ${seal})
    ON CONFLICT (id) DO UPDATE SET entries = excluded.entries, hash = excluded.hash, seal = excluded.seal`);

export const insertEntry = (tx: Tx, row: AuditRow): Promise<number> =>
  tx.execute(sql`
    INSERT INTO audit_logs (id, at, actor_id, action, permission, target_type, target_id, before, after, request_id, ip_hash, prev_hash, hash)
    VALUES (${row.id}, ${row.at}, ${row.actorId}, ${row.action}, ${row.permission}, ${row.targetType}, ${row.targetId},
            ${asJson(row.before)}::jsonb, ${asJson(row.after)}::jsonb, ${row.requestId}, ${row.ipHash}, ${row.prevHash}, ${row.hash})`);

/** Whether an action that is delivered at least once was written before. */
export async function wasWritten(db: Db, requestId: string, action: string, since: Date): Promise<boolean> {
  const rows = await db.query(
    sql`SELECT 1 FROM audit_logs WHERE request_id = ${requestId} AND action = ${action} AND at >= ${since} LIMIT 1`,
  );
  return rows.length > 0;
}

/** The newest first, below `before`. */
export function listEntries(db: Db, filter: AuditFilter, before: string | null, limit: number): Promise<AuditRow[]> {
  const conditions = [sql`true`];
  if (before !== null) conditions.push(sql`id < ${before}`);
  if (filter.actor !== undefined) conditions.push(sql`actor_id = ${filter.actor}`);
  if (filter.action !== undefined) conditions.push(sql`action = ${filter.action}`);
  if (filter.from !== undefined) conditions.push(sql`at >= ${filter.from}::timestamptz`);
  if (filter.to !== undefined) conditions.push(sql`at < ${filter.to}::timestamptz`);
  return db.query<AuditRow>(sql`
    SELECT ${columns} FROM audit_logs WHERE ${joinSql(conditions, ' AND ')} ORDER BY id DESC LIMIT ${limit}`);
}

/** In the order of the chain, after `after`. */
export const walkEntries = (db: Db, after: string, limit: number): Promise<AuditRow[]> =>
  db.query<AuditRow>(sql`SELECT ${columns} FROM audit_logs WHERE id > ${after} ORDER BY id LIMIT ${limit}`);

const asJson = (value: Record<string, unknown> | null): string | null =>
  value === null ? null : JSON.stringify(value);
