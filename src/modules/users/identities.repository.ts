import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

/** The user that a host application's subject is here. */
export async function findIdentity(db: Db, issuer: string, subject: string): Promise<string | undefined> {
  const [row] = await db.query<{ userId: string }>(
    sql`SELECT user_id AS "userId" FROM user_identities WHERE issuer = ${issuer} AND subject = ${subject}`,
  );
  return row?.userId;
}

export const insertIdentity = (tx: Tx, issuer: string, subject: string, userId: string): Promise<number> =>
  tx.execute(sql`INSERT INTO user_identities (issuer, subject, user_id) VALUES (${issuer}, ${subject}, ${userId})`);

export async function findTaken(
  db: Db,
  handle: string | null,
  email: string | null,
): Promise<{ handle: boolean; email: boolean }> {
  const [row] = await db.query<{ handle: boolean; email: boolean }>(sql`
    SELECT EXISTS (SELECT FROM users WHERE lower(handle) = ${handle} AND deleted_at IS NULL) AS handle,
           EXISTS (SELECT FROM users WHERE lower(email) = ${email} AND deleted_at IS NULL) AS email`);
  return row ?? { handle: false, email: false };
}
