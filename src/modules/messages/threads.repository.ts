import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { ThreadMeView, ThreadRow } from './dto/thread.view.js';

export const threadColumns = sql`
  t.id, t.conversation_id AS "conversationId", t.root_seq AS "rootSeq", t.rev, t.title, t.locked_at AS "lockedAt",
  t.reply_count AS "replyCount", t.last_reply_seq AS "lastReplySeq", t.last_reply_at AS "lastReplyAt", t.created_by AS "createdBy"`;

export async function findThread(db: Db, id: string): Promise<ThreadRow | undefined> {
  const [row] = await db.query<ThreadRow>(sql`SELECT ${threadColumns} FROM threads t WHERE t.id = ${id}`);
  return row;
}

/** Threads changed in each range, by rev, at most `limit` for each. */
export const listChangedThreads = (
  db: Db,
  ranges: readonly { id: string; after: number; upTo: number }[],
  limit: number,
): Promise<ThreadRow[]> =>
  db.query<ThreadRow>(sql`
    SELECT ${threadColumns}
    FROM unnest(${ranges.map((r) => r.id)}::uuid[], ${ranges.map((r) => r.after)}::bigint[], ${ranges.map((r) => r.upTo)}::bigint[])
      AS range (id, after, up_to)
    CROSS JOIN LATERAL (SELECT * FROM threads n
                        WHERE n.conversation_id = range.id AND n.rev > range.after AND n.rev <= range.up_to
                        ORDER BY n.rev LIMIT ${limit}) t
    ORDER BY t.conversation_id, t.rev`);

export interface NewThread {
  id: string;
  conversationId: string;
  rootSeq: number;
  rev: number;
  title: string | null;
  createdBy: string;
}

export async function findThreadByRoot(
  db: Db,
  conversationId: string,
  rootSeq: number,
): Promise<ThreadRow | undefined> {
  const [row] = await db.query<ThreadRow>(
    sql`SELECT ${threadColumns} FROM threads t WHERE t.conversation_id = ${conversationId} AND t.root_seq = ${rootSeq}`,
  );
  return row;
}

/** The thread and those who follow it from the start. */
export async function insertThread(tx: Tx, thread: NewThread, followers: readonly string[]): Promise<ThreadRow> {
  const [row] = await tx.query<ThreadRow>(sql`
    WITH t AS (
      INSERT INTO threads (id, conversation_id, root_seq, rev, title, created_by)
      VALUES (${thread.id}, ${thread.conversationId}, ${thread.rootSeq}, ${thread.rev}, ${thread.title}, ${thread.createdBy})
      RETURNING *
    ), m AS (
      INSERT INTO thread_members (thread_id, user_id) SELECT ${thread.id}::uuid, u FROM unnest(${followers}::uuid[]) AS u)
    SELECT ${threadColumns} FROM t`);
  if (!row) throw new Error('INSERT returned no row');
  return row;
}

export async function updateThread(
  tx: Tx,
  id: string,
  change: { title: string | null; locked: boolean; rev: number },
): Promise<ThreadRow> {
  const [row] = await tx.query<ThreadRow>(sql`
    UPDATE threads t SET title = ${change.title}, rev = ${change.rev},
      locked_at = CASE WHEN ${change.locked} THEN coalesce(t.locked_at, now()) END
    WHERE t.id = ${id} RETURNING ${threadColumns}`);
  if (!row) throw new Error('UPDATE returned no row');
  return row;
}

/** A reply is gone. */
export async function dropReply(tx: Tx, id: string, rev: number): Promise<ThreadRow | undefined> {
  const [row] = await tx.query<ThreadRow>(sql`
    UPDATE threads t SET reply_count = greatest(t.reply_count - 1, 0), rev = ${rev} WHERE t.id = ${id} RETURNING ${threadColumns}`);
  return row;
}

/** Latest reply first; threads without one by their root. `before` is the position of the last one of the page before. */
export const listThreads = (
  db: Db,
  conversationId: string,
  visibleFromSeq: number,
  before: readonly [latest: number, root: number] | null,
  limit: number,
): Promise<ThreadRow[]> =>
  db.query<ThreadRow>(sql`
    SELECT ${threadColumns} FROM threads t
    WHERE t.conversation_id = ${conversationId} AND t.root_seq >= ${visibleFromSeq}
      AND (${before === null} OR (coalesce(t.last_reply_seq, t.root_seq), t.root_seq) < (${before?.[0] ?? 0}::bigint, ${before?.[1] ?? 0}::bigint))
    ORDER BY coalesce(t.last_reply_seq, t.root_seq) DESC, t.root_seq DESC LIMIT ${limit}`);

const UNREAD_CAP = 100;

/** The reader's side of each thread; unread is a count of live replies, at most 100. */
export async function threadSides(
  db: Db,
  userId: string,
  threadIds: readonly string[],
): Promise<Map<string, ThreadMeView>> {
  const rows = await db.query<ThreadMeView & { threadId: string }>(sql`
    SELECT t.id AS "threadId", coalesce(m.following, false) AS following, coalesce(m.read_seq, 0) AS "readSeq",
      (SELECT count(*) FROM (SELECT FROM messages n WHERE n.thread_id = t.id AND n.seq > coalesce(m.read_seq, 0) AND n.deleted_at IS NULL
                             LIMIT ${UNREAD_CAP}) counted) AS unread
    FROM unnest(${threadIds}::uuid[]) AS t (id) LEFT JOIN thread_members m ON m.thread_id = t.id AND m.user_id = ${userId}`);
  return new Map(rows.map(({ threadId, ...side }) => [threadId, side]));
}

export const listThreadMembers = (
  db: Db,
  threadId: string,
  after: string | null,
  limit: number,
): Promise<{ userId: string; readSeq: number; following: boolean }[]> =>
  db.query(sql`
    SELECT user_id AS "userId", read_seq AS "readSeq", following FROM thread_members
    WHERE thread_id = ${threadId} AND (${after}::uuid IS NULL OR user_id > ${after}) ORDER BY user_id LIMIT ${limit}`);

/** Those who want to hear of replies. */
export async function listFollowers(db: Db, threadId: string): Promise<string[]> {
  const rows = await db.query<{ userId: string }>(
    sql`SELECT user_id AS "userId" FROM thread_members WHERE thread_id = ${threadId} AND following ORDER BY user_id`,
  );
  return rows.map(({ userId }) => userId);
}

export const setFollowing = (db: Db, threadId: string, userId: string, following: boolean): Promise<number> =>
  db.execute(sql`
    INSERT INTO thread_members (thread_id, user_id, following) VALUES (${threadId}, ${userId}, ${following})
    ON CONFLICT (thread_id, user_id) DO UPDATE SET following = EXCLUDED.following`);

/** Raises how far the user has read; reading alone follows nothing. */
export const setRead = (db: Db, threadId: string, userId: string, seq: number): Promise<number> =>
  db.execute(sql`
    INSERT INTO thread_members AS m (thread_id, user_id, read_seq, following) VALUES (${threadId}, ${userId}, ${seq}, false)
    ON CONFLICT (thread_id, user_id) DO UPDATE SET read_seq = greatest(m.read_seq, EXCLUDED.read_seq)`);
