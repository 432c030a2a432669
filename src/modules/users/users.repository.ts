import type { Db, Tx } from '../../platform/database/db.js';
import { joinSql, rawSql, sql } from '../../platform/database/sql.js';
import type { Identifier } from './users.rules.js';

export type UserState = 'active' | 'suspended' | 'deleted';

export interface UserRow {
  id: string;
  handle: string | null;
  displayName: string;
  bio: string | null;
  avatarMediaId: string | null;
  email: string | null;
  phone: string | null;
  emailVerifiedAt: Date | null;
  phoneVerifiedAt: Date | null;
  locale: string;
  timeZone: string;
  /** In effect: a suspension that has run out counts as active. */
  state: UserState;
  rev: number;
  createdAt: Date;
  updatedAt: Date;
}

/** What other modules see of a user. */
export interface UserCard {
  id: string;
  handle: string | null;
  displayName: string;
  avatarMediaId: string | null;
  timeZone: string;
  state: UserState;
}

export interface Credentials {
  id: string;
  /** argon2id string; null when the account has no password. */
  password: string | null;
  state: UserState;
}

export interface NewUser {
  id: string;
  displayName: string;
  handle?: string | null;
  identifier?: Identifier | null;
  verified?: boolean;
  password?: string | null;
  locale?: string;
  timeZone?: string;
}

/** Members of a profile that may be set; absent ones stay. */
export interface ProfileChange {
  displayName?: string;
  handle?: string | null;
  bio?: string | null;
  avatarMediaId?: string | null;
  locale?: string;
  timeZone?: string;
}

/** State in effect, of the users row named `u`. */
export const effectiveState = rawSql(
  `CASE WHEN u.state = 'suspended' AND u.suspended_until <= now() THEN 'active' ELSE u.state::text END`,
);
export const userColumns = sql`
  u.id, u.handle, u.display_name AS "displayName", u.bio, u.avatar_media_id AS "avatarMediaId", u.email, u.phone,
  u.email_verified_at AS "emailVerifiedAt", u.phone_verified_at AS "phoneVerifiedAt", u.locale, u.time_zone AS "timeZone",
  ${effectiveState} AS state, u.rev, u.created_at AS "createdAt", u.updated_at AS "updatedAt"`;

const columnOf: Record<keyof ProfileChange, string> = {
  displayName: 'display_name',
  handle: 'handle',
  bio: 'bio',
  avatarMediaId: 'avatar_media_id',
  locale: 'locale',
  timeZone: 'time_zone',
};

const byIdentifier = ({ kind, value }: Identifier) =>
  kind === 'email' ? sql`lower(u.email) = ${value}` : sql`u.phone = ${value}`;

/** The row and its feed head; the profile is the feed's first entry. */
export async function insertUser(tx: Tx, user: NewUser): Promise<UserRow> {
  const email = user.identifier?.kind === 'email' ? user.identifier.value : null;
  const phone = user.identifier?.kind === 'phone' ? user.identifier.value : null;
  const verified = user.verified === true;
  const [row] = await tx.query<UserRow>(sql`
    WITH u AS (
      INSERT INTO users (id, display_name, handle, email, phone, email_verified_at, phone_verified_at, password, locale, time_zone, rev)
      VALUES (${user.id}, ${user.displayName}, ${user.handle ?? null}, ${email}, ${phone},
              CASE WHEN ${verified && email !== null} THEN now() END, CASE WHEN ${verified && phone !== null} THEN now() END,
              ${user.password ?? null}, ${user.locale ?? 'en'}, ${user.timeZone ?? 'UTC'}, 1)
      RETURNING *)
    SELECT ${userColumns} FROM u`);
  await tx.execute(sql`INSERT INTO user_head (user_id, rev) VALUES (${user.id}, 1)`);
  if (!row) throw new Error('INSERT returned no row');
  return row;
}

/** Deleted users included: their ids stay in histories. */
export const findUsers = (db: Db, ids: readonly string[]): Promise<UserRow[]> =>
  db.query<UserRow>(sql`SELECT ${userColumns} FROM users u WHERE u.id = ANY(${ids}::uuid[])`);

export async function findUser(db: Db, id: string): Promise<UserRow | undefined> {
  const [row] = await findUsers(db, [id]);
  return row;
}

export const findCards = (db: Db, ids: readonly string[]): Promise<UserCard[]> =>
  db.query<UserCard>(sql`
    SELECT u.id, CASE WHEN u.deleted_at IS NULL THEN u.handle END AS handle,
           CASE WHEN u.deleted_at IS NULL THEN u.display_name ELSE '' END AS "displayName",
           CASE WHEN u.deleted_at IS NULL THEN u.avatar_media_id END AS "avatarMediaId", u.time_zone AS "timeZone",
           ${effectiveState} AS state
    FROM users u WHERE u.id = ANY(${ids}::uuid[])`);

/** The row, locked until the transaction ends; undefined when the account is deleted or never was. */
export async function lockUser(tx: Tx, id: string): Promise<UserRow | undefined> {
  const [row] = await tx.query<UserRow>(
    sql`SELECT ${userColumns} FROM users u WHERE u.id = ${id} AND u.deleted_at IS NULL FOR NO KEY UPDATE`,
  );
  return row;
}

export async function findCredentials(db: Db, identifier: Identifier): Promise<Credentials | undefined> {
  const [row] = await db.query<Credentials>(
    sql`SELECT u.id, u.password, ${effectiveState} AS state FROM users u WHERE ${byIdentifier(identifier)} AND u.deleted_at IS NULL`,
  );
  return row;
}

export async function findCredentialsById(db: Db, id: string): Promise<Credentials | undefined> {
  const [row] = await db.query<Credentials>(
    sql`SELECT u.id, u.password, ${effectiveState} AS state FROM users u WHERE u.id = ${id} AND u.deleted_at IS NULL`,
  );
  return row;
}

/** Sets the password; with `replacing` only while that hash is still the stored one. */
export const setPassword = (db: Db, id: string, password: string, replacing?: string): Promise<number> =>
  db.execute(sql`
    UPDATE users SET password = ${password}
    WHERE id = ${id} AND deleted_at IS NULL AND (${replacing ?? null}::text IS NULL OR password = ${replacing ?? null})`);

export const clearPassword = (db: Db, id: string): Promise<number> =>
  db.execute(sql`UPDATE users SET password = NULL WHERE id = ${id}`);

export const markLogin = (db: Db, id: string): Promise<number> =>
  db.execute(sql`UPDATE users SET last_login_at = now() WHERE id = ${id}`);

/** Applies a change to a row locked by `lockUser`, as the next entry of the user's feed. */
export async function updateProfile(tx: Tx, id: string, change: ProfileChange): Promise<UserRow | undefined> {
  const entries = Object.entries(change) as [keyof ProfileChange, string | null][];
  const assignments = entries.map(([name, value]) => sql`${rawSql(columnOf[name])} = ${value}`);
  return advanceUser(tx, id, joinSql([...assignments, sql`updated_at = now()`], ', '));
}

/** Marks an address as proven, taking it over when the account had none or another. */
export const setVerifiedIdentifier = (tx: Tx, id: string, { kind, value }: Identifier): Promise<UserRow | undefined> =>
  advanceUser(
    tx,
    id,
    kind === 'email'
      ? sql`email = ${value}, email_verified_at = now(), updated_at = now()`
      : sql`phone = ${value}, phone_verified_at = now(), updated_at = now()`,
  );

export async function advanceUser(
  tx: Tx,
  id: string,
  assignments: ReturnType<typeof sql>,
): Promise<UserRow | undefined> {
  const [row] = await tx.query<UserRow>(sql`
    WITH head AS MATERIALIZED (SELECT user_advance(${id}, 1) + 1 AS rev)
    UPDATE users u SET ${assignments}, rev = head.rev FROM head WHERE u.id = ${id} RETURNING ${userColumns}`);
  return row;
}

/** Present feed positions; unknown ids are absent. */
export async function findHeads(db: Db, ids: readonly string[]): Promise<Map<string, number>> {
  const rows = await db.query<{ userId: string; rev: number }>(
    sql`SELECT user_id AS "userId", rev FROM user_head WHERE user_id = ANY(${ids}::uuid[])`,
  );
  return new Map(rows.map(({ userId, rev }) => [userId, rev]));
}

/** `until` null: for good. */
export const suspendUser = (tx: Tx, id: string, reason: string, until: Date | null): Promise<UserRow | undefined> =>
  advanceUser(
    tx,
    id,
    sql`state = 'suspended', suspended_until = ${until}, suspend_reason = ${reason}, updated_at = now()`,
  );

export const reinstateUser = (tx: Tx, id: string): Promise<UserRow | undefined> =>
  advanceUser(tx, id, sql`state = 'active', suspended_until = NULL, suspend_reason = NULL, updated_at = now()`);
