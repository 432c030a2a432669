import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import { advanceUser, type UserRow } from './users.repository.js';

/**
 * Hides the account at once; `days` later it is due for erasure. Columns round to milliseconds: rounded up, an account to
 * be erased at once would not be due yet.
 */
export const markDeleted = (tx: Tx, id: string, days: number): Promise<UserRow | undefined> =>
  advanceUser(
    tx,
    id,
    sql`state = 'deleted', deleted_at = now(), erase_after = date_trunc('milliseconds', now()) + make_interval(days => ${days}), updated_at = now()`,
  );

export async function findEraseAfter(db: Db, id: string): Promise<Date | null> {
  const [row] = await db.query<{ eraseAfter: Date | null }>(
    sql`SELECT erase_after AS "eraseAfter" FROM users WHERE id = ${id}`,
  );
  return row?.eraseAfter ?? null;
}

export async function findDueForErasure(db: Db, limit: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>(sql`
    SELECT id FROM users WHERE erase_after <= now() AND erased_at IS NULL ORDER BY erase_after LIMIT ${limit}`);
  return rows.map(({ id }) => id);
}

/** Blanks what users keeps about a person; the row itself stays, because histories refer to it. False when it was done. */
export async function eraseUser(tx: Tx, id: string): Promise<boolean> {
  const erased = await tx.execute(sql`
    UPDATE users
    SET handle = NULL, display_name = '', bio = NULL, avatar_media_id = NULL, email = NULL, phone = NULL,
        email_verified_at = NULL, phone_verified_at = NULL, password = NULL, locale = 'en', time_zone = 'UTC',
        suspend_reason = NULL, last_login_at = NULL, erased_at = now(), updated_at = now()
    WHERE id = ${id} AND state = 'deleted' AND erase_after <= now() AND erased_at IS NULL`);
  if (erased === 0) return false;
  await tx.execute(sql`DELETE FROM user_identities WHERE user_id = ${id}`);
  await tx.execute(sql`DELETE FROM user_sessions WHERE user_id = ${id}`);
  await tx.execute(sql`DELETE FROM contacts WHERE owner_id = ${id}`);
  await tx.execute(sql`DELETE FROM user_blocks WHERE owner_id = ${id}`);
  await tx.execute(sql`DELETE FROM user_preferences WHERE user_id = ${id}`);
  await tx.execute(sql`DELETE FROM data_exports WHERE user_id = ${id}`);
  await tx.execute(sql`DELETE FROM recent_activity WHERE user_id = ${id}`);
  return true;
}
