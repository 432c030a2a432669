import type { Permission } from '../../platform/auth/permissions.js';
import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

/** What one user may do more, or less, than their roles say. */
export interface Overrides {
  granted: Permission[];
  denied: Permission[];
}

export async function findOverrides(db: Db, userId: string): Promise<Overrides> {
  const rows = await db.query<{ permission: Permission; granted: boolean }>(
    sql`SELECT permission, granted FROM user_permissions WHERE user_id = ${userId} ORDER BY permission`,
  );
  const those = (granted: boolean) => rows.filter((row) => row.granted === granted).map(({ permission }) => permission);
  return { granted: those(true), denied: those(false) };
}

/** Makes these the exceptions of a user; `by` is remembered with those that changed. */
export async function setOverrides(tx: Tx, userId: string, { granted, denied }: Overrides, by: string): Promise<void> {
  const kept = [...granted, ...denied];
  await tx.execute(sql`DELETE FROM user_permissions WHERE user_id = ${userId} AND permission <> ALL(${kept})`);
  await tx.execute(sql`
    INSERT INTO user_permissions AS o (user_id, permission, granted, set_by)
    SELECT ${userId}, permission, granted, ${by}
    FROM unnest(${kept}::text[], ${kept.map((permission) => granted.includes(permission))}::boolean[]) AS i (permission, granted)
    ON CONFLICT (user_id, permission) DO UPDATE SET granted = excluded.granted, set_by = excluded.set_by, at = now()
    WHERE o.granted <> excluded.granted`);
}
