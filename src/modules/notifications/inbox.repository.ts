import { newId } from '../../platform/clock/clock.js';
import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { NotificationKind } from './notifications.rules.js';

export interface NotificationRow {
  id: string;
  userId: string;
  rev: number;
  kind: NotificationKind;
  actorId: string | null;
  conversationId: string | null;
  seq: number | null;
  data: Record<string, unknown>;
  createdAt: Date;
  readAt: Date | null;
  dismissedAt: Date | null;
}

/** One cause and whom it concerns. */
export interface Notice {
  kind: NotificationKind;
  /** A repeated cause is one row per user. */
  dedupeKey: string;
  actorId: string | null;
  conversationId?: string;
  seq?: number;
  data?: Record<string, unknown>;
}

const columns = sql`
  id, user_id AS "userId", rev, kind, actor_id AS "actorId", conversation_id AS "conversationId", seq, data,
  created_at AS "createdAt", read_at AS "readAt", dismissed_at AS "dismissedAt"`;

/** Position in a user's feed. */
export interface Advanced {
  userId: string;
  rev: number;
}

/** One row for each user who does not have this cause yet; answers where their feeds stand now. */
export const insertNotices = (tx: Tx, userIds: readonly string[], notice: Notice): Promise<Advanced[]> =>
  tx.query<Advanced & Record<string, unknown>>(sql`
    WITH u AS MATERIALIZED (
      SELECT user_id, rev_before + 1 AS rev FROM user_advance_many(ARRAY(
        SELECT c.id FROM unnest(${userIds}::uuid[]) AS c (id)
        WHERE NOT EXISTS (SELECT FROM notifications AS n WHERE n.user_id = c.id AND n.dedupe_key = ${notice.dedupeKey})), 1))
    INSERT INTO notifications (id, user_id, rev, kind, dedupe_key, actor_id, conversation_id, seq, data)
    SELECT i.id, u.user_id, u.rev, ${notice.kind}, ${notice.dedupeKey}, ${notice.actorId}::uuid, ${notice.conversationId ?? null}::uuid,
           ${notice.seq ?? null}::bigint, ${JSON.stringify(notice.data ?? {})}::jsonb
    FROM u JOIN unnest(${userIds}::uuid[], ${userIds.map(() => newId())}::uuid[]) AS i (user_id, id) USING (user_id)
    ON CONFLICT (user_id, dedupe_key) DO NOTHING
    RETURNING user_id AS "userId", rev`);

/** Newest first. */
export const listNotices = (
  db: Db,
  userId: string,
  { before, unread, limit }: { before: string | null; unread: boolean; limit: number },
): Promise<NotificationRow[]> =>
  db.query<NotificationRow & Record<string, unknown>>(sql`
    SELECT ${columns} FROM notifications
    WHERE user_id = ${userId} AND dismissed_at IS NULL ${before === null ? sql`` : sql`AND id < ${before}`}
      ${unread ? sql`AND read_at IS NULL` : sql``}
    ORDER BY id DESC LIMIT ${limit}`);

export async function countUnreadNotices(db: Db, userId: string): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    sql`SELECT count(*) AS n FROM notifications WHERE user_id = ${userId} AND read_at IS NULL AND dismissed_at IS NULL`,
  );
  return row?.n ?? 0;
}

/** Each row that becomes read is an entry of the feed of its own. Answers the head; undefined when nothing was unread. */
export async function readNotices(
  tx: Tx,
  userId: string,
  which: { ids?: readonly string[] | undefined; upTo?: string | undefined },
): Promise<number | undefined> {
  const chosen = which.ids ? sql`id = ANY(${which.ids}::uuid[])` : sql`id <= ${which.upTo ?? ''}`;
  const unread = sql`user_id = ${userId} AND read_at IS NULL AND dismissed_at IS NULL AND ${chosen}`;
  // The head is locked first, so nobody else changes the rows between counting and writing.
  await tx.query(sql`SELECT user_advance(${userId}, 0)`);
  const [row] = await tx.query<{ rev: number | null }>(sql`
    WITH n AS MATERIALIZED (SELECT id, row_number() OVER (ORDER BY id) AS i FROM notifications WHERE ${unread}),
         h AS MATERIALIZED (SELECT user_advance(${userId}, (SELECT count(*)::int FROM n)) AS before),
         r AS (UPDATE notifications AS t SET read_at = now(), rev = h.before + n.i FROM n, h WHERE t.id = n.id RETURNING t.rev)
    SELECT max(rev) AS rev FROM r`);
  return row?.rev ?? undefined;
}

/** Answers the head; undefined when there was nothing to dismiss. */
export async function dismissNotice(tx: Tx, userId: string, id: string): Promise<number | undefined> {
  const [row] = await tx.query<{ rev: number }>(sql`
    WITH h AS MATERIALIZED (
      SELECT user_advance(${userId}, 1) + 1 AS rev
      WHERE EXISTS (SELECT FROM notifications WHERE id = ${id} AND user_id = ${userId} AND dismissed_at IS NULL))
    UPDATE notifications SET dismissed_at = now(), rev = h.rev FROM h WHERE id = ${id} AND user_id = ${userId}
    RETURNING notifications.rev`);
  return row?.rev;
}

/** Whether it is one of the user's, dismissed or not. */
export async function hasNotice(db: Db, userId: string, id: string): Promise<boolean> {
  return (await db.query(sql`SELECT 1 FROM notifications WHERE id = ${id} AND user_id = ${userId}`)).length > 0;
}

export const changedNotices = (
  db: Db,
  userId: string,
  after: number,
  upTo: number,
  limit: number,
): Promise<NotificationRow[]> =>
  db.query<NotificationRow & Record<string, unknown>>(sql`
    SELECT ${columns} FROM notifications WHERE user_id = ${userId} AND rev > ${after} AND rev <= ${upTo} ORDER BY rev LIMIT ${limit}`);

export async function eraseNotices(db: Db, userId: string): Promise<void> {
  await db.execute(sql`DELETE FROM notifications WHERE user_id = ${userId}`);
}
