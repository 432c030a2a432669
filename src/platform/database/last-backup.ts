import type { Db } from './db.js';
import { lifecycleTables } from './lifecycle/tables.js';
import { rawSql, sql } from './sql.js';

/** When `parley backup` last succeeded or was told of a backup made otherwise; null where it never did, or where this role may not know. */
export async function lastBackupAt(db: Db): Promise<Date | null> {
  const [home] = await db.query<{ schema: string }>(sql`SELECT current_schema() AS schema`);
  const { audit } = lifecycleTables(home?.schema ?? 'public');
  const [readable] = await db.query<{ yes: boolean | null }>(
    sql`SELECT has_table_privilege(to_regclass(${audit}), 'SELECT') AS yes`,
  );
  if (!readable?.yes) return null;
  const [row] = await db.query<{ at: Date | null }>(
    sql`SELECT max(at) AS at FROM ${rawSql(audit)} WHERE action = 'backup.taken'`,
  );
  return row?.at ?? null;
}
