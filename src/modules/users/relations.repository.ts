import type { Db, Tx } from '../../platform/database/db.js';
import { rawSql, sql } from '../../platform/database/sql.js';
import { userColumns, type UserRow } from './users.repository.js';

/** Two lists a user keeps of other users, in tables of one shape: contacts, and blocks. */
export type RelationKind = 'contact' | 'block';
const tableOf = { contact: rawSql('contacts'), block: rawSql('user_blocks') };

export interface RelationRow {
  targetId: string;
  rev: number;
  createdAt: Date;
  deletedAt: Date | null;
}

/** Puts a user on the list, as the next entry of the owner's feed; undefined when they are on it already. */
export async function addRelation(
  tx: Tx,
  kind: RelationKind,
  ownerId: string,
  targetId: string,
): Promise<number | undefined> {
  const [row] = await tx.query<{ rev: number }>(sql`
    WITH head AS MATERIALIZED (
      SELECT user_advance(${ownerId}, 1) + 1 AS rev
      WHERE NOT EXISTS (SELECT FROM ${tableOf[kind]} WHERE owner_id = ${ownerId} AND target_id = ${targetId} AND deleted_at IS NULL))
    INSERT INTO ${tableOf[kind]} AS r (owner_id, target_id, rev) SELECT ${ownerId}, ${targetId}, head.rev FROM head
    ON CONFLICT (owner_id, target_id) DO UPDATE SET rev = excluded.rev, created_at = now(), deleted_at = NULL
    RETURNING r.rev`);
  return row?.rev;
}

/** Takes a user off the list; undefined when they are not on it. */
export async function removeRelation(
  tx: Tx,
  kind: RelationKind,
  ownerId: string,
  targetId: string,
): Promise<number | undefined> {
  const [row] = await tx.query<{ rev: number }>(sql`
    WITH head AS MATERIALIZED (
      SELECT user_advance(${ownerId}, 1) + 1 AS rev
      WHERE EXISTS (SELECT FROM ${tableOf[kind]} WHERE owner_id = ${ownerId} AND target_id = ${targetId} AND deleted_at IS NULL))
    UPDATE ${tableOf[kind]} SET rev = head.rev, deleted_at = now() FROM head
    WHERE owner_id = ${ownerId} AND target_id = ${targetId} RETURNING ${tableOf[kind]}.rev`);
  return row?.rev;
}

export async function countRelations(db: Db, kind: RelationKind, ownerId: string): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    sql`SELECT count(*) AS n FROM ${tableOf[kind]} WHERE owner_id = ${ownerId} AND deleted_at IS NULL`,
  );
  return row?.n ?? 0;
}

/** Which of `ids` are on the owner's list. */
export async function relatedAmong(
  db: Db,
  kind: RelationKind,
  ownerId: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const rows = await db.query<{ id: string }>(sql`
    SELECT target_id AS id FROM ${tableOf[kind]}
    WHERE owner_id = ${ownerId} AND target_id = ANY(${ids}::uuid[]) AND deleted_at IS NULL`);
  return new Set(rows.map(({ id }) => id));
}

/** Which of `ids` have put the user on their list. */
export async function relatedBy(
  db: Db,
  kind: RelationKind,
  userId: string,
  ids: readonly string[],
): Promise<Set<string>> {
  const rows = await db.query<{ id: string }>(sql`
    SELECT owner_id AS id FROM ${tableOf[kind]}
    WHERE target_id = ${userId} AND owner_id = ANY(${ids}::uuid[]) AND deleted_at IS NULL`);
  return new Set(rows.map(({ id }) => id));
}

/** A position in such a list: the newest entry comes first. */
export interface RelationPosition {
  at: string;
  id: string;
}
export type ListedUser = UserRow & { since: string };

/** Users on the owner's list (`by: 'owner'`), or whose lists the user is on (`by: 'target'`: followers). */
export const listRelated = (
  db: Db,
  kind: RelationKind,
  by: 'owner' | 'target',
  userId: string,
  before: RelationPosition | null,
  limit: number,
): Promise<ListedUser[]> => {
  const [mine, theirs] = by === 'owner' ? [sql`r.owner_id`, sql`r.target_id`] : [sql`r.target_id`, sql`r.owner_id`];
  return db.query<ListedUser>(sql`
    SELECT ${userColumns}, to_char(r.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS since
    FROM ${tableOf[kind]} r JOIN users u ON u.id = ${theirs}
    WHERE ${mine} = ${userId} AND r.deleted_at IS NULL AND u.deleted_at IS NULL
      AND (${before === null} OR (r.created_at, u.id) < (${before?.at ?? null}::timestamptz, ${before?.id ?? null}::uuid))
    ORDER BY r.created_at DESC, u.id DESC LIMIT ${limit}`);
};

/** Entries of the owner's feed after a position, removed ones included. */
export const changedRelations = (
  db: Db,
  kind: RelationKind,
  ownerId: string,
  after: number,
  upTo: number,
  limit: number,
): Promise<RelationRow[]> =>
  db.query<RelationRow>(sql`
    SELECT target_id AS "targetId", rev, created_at AS "createdAt", deleted_at AS "deletedAt" FROM ${tableOf[kind]}
    WHERE owner_id = ${ownerId} AND rev > ${after} AND rev <= ${upTo} ORDER BY rev LIMIT ${limit}`);
