import type { Db, Tx } from '../../platform/database/db.js';
import { joinSql, rawSql, sql } from '../../platform/database/sql.js';
import { advanceUser, effectiveState, userColumns, type UserRow, type UserState } from './users.repository.js';
import { escapeLike, parseIdentifier } from './users.rules.js';

export interface AccountRow extends UserRow {
  hasPassword: boolean;
  suspendedUntil: Date | null;
  suspendReason: string | null;
  lastLoginAt: Date | null;
  deletedAt: Date | null;
  eraseAfter: Date | null;
}

/** Members of an account that may be set from above; absent ones stay. */
export interface AccountFields {
  displayName?: string | undefined;
  handle?: string | null | undefined;
  email?: string | null | undefined;
  phone?: string | null | undefined;
}

const accountColumns = sql`
  ${userColumns}, u.password IS NOT NULL AS "hasPassword", u.suspended_until AS "suspendedUntil",
  u.suspend_reason AS "suspendReason", u.last_login_at AS "lastLoginAt", u.deleted_at AS "deletedAt", u.erase_after AS "eraseAfter"`;

/** Accounts of every state, the newest first, below `before`. */
export function listAccounts(
  db: Db,
  { text, state }: { text?: string | undefined; state?: UserState | undefined },
  before: string | null,
  limit: number,
): Promise<AccountRow[]> {
  const conditions = [sql`true`];
  if (state !== undefined) conditions.push(sql`${effectiveState} = ${state}`);
  if (before !== null) conditions.push(sql`u.id < ${before}`);
  if (text !== undefined) {
    const part = `%${escapeLike(text)}%`;
    const address = parseIdentifier(text)?.value ?? null;
    conditions.push(
      sql`(u.handle ILIKE ${part} OR u.display_name ILIKE ${part} OR lower(u.email) = ${address} OR u.phone = ${address})`,
    );
  }
  return db.query<AccountRow>(sql`
    SELECT ${accountColumns} FROM users u WHERE ${joinSql(conditions, ' AND ')} ORDER BY u.id DESC LIMIT ${limit}`);
}

export async function findAccount(db: Db, id: string): Promise<AccountRow | undefined> {
  const [row] = await db.query<AccountRow>(sql`SELECT ${accountColumns} FROM users u WHERE u.id = ${id}`);
  return row;
}

const columnOf: Record<keyof AccountFields, string> = {
  displayName: 'display_name',
  handle: 'handle',
  email: 'email',
  phone: 'phone',
};

/** Applies a change to a row locked by `lockUser`. */
export function updateAccount(tx: Tx, id: string, change: AccountFields): Promise<UserRow | undefined> {
  const entries = (Object.entries(change) as [keyof AccountFields, string | null | undefined][]).filter(
    ([, value]) => value !== undefined,
  );
  const assignments = entries.flatMap(([name, value]) => {
    const set = sql`${rawSql(columnOf[name])} = ${value}`;
    if (name !== 'email' && name !== 'phone') return [set];
    return [
      set,
      value === null ? sql`${rawSql(`${name}_verified_at`)} = NULL` : sql`${rawSql(`${name}_verified_at`)} = now()`,
    ];
  });
  return advanceUser(tx, id, joinSql([...assignments, sql`updated_at = now()`], ', '));
}
