import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

/** What the messages of one conversation say about its counters. */
export interface MessageCounters {
  conversationId: string;
  count: number;
  lowestSeq: number;
  highestSeq: number;
  highestOrd: number;
  highestRev: number;
  /** Rows in excess of one per sender and clientId. */
  doubled: number;
}

export const countersOf = (db: Db, ids: readonly string[]): Promise<MessageCounters[]> =>
  db.query<MessageCounters>(sql`
    SELECT conversation_id AS "conversationId", count(*) AS count, min(seq) AS "lowestSeq", max(seq) AS "highestSeq",
      max(ord) AS "highestOrd", max(rev) AS "highestRev",
      count(client_id) - count(DISTINCT (sender_id, client_id)) FILTER (WHERE client_id IS NOT NULL) AS doubled
    FROM messages WHERE conversation_id = ANY(${ids}::uuid[]) GROUP BY conversation_id`);

/** For each position: how many live messages after it count as unread. In the order asked. */
export const countAfter = async (
  db: Db,
  positions: readonly { conversationId: string; readSeq: number }[],
): Promise<number[]> => {
  const rows = await db.query<{ count: number }>(sql`
    SELECT (SELECT count(*) FROM messages m
            WHERE m.conversation_id = p.conversation_id AND m.seq > p.seq AND m.counts AND m.deleted_at IS NULL) AS count
    FROM unnest(${positions.map((p) => p.conversationId)}::uuid[], ${positions.map((p) => p.readSeq)}::bigint[])
      WITH ORDINALITY AS p (conversation_id, seq, n) ORDER BY p.n`);
  return rows.map(({ count }) => count);
};

/** Threads whose count of replies is not the number of live ones, or whose root is not there. */
export const listWrongThreads = (
  db: Db,
  ids: readonly string[],
): Promise<{ conversationId: string; threadId: string }[]> =>
  db.query(sql`
    SELECT t.conversation_id AS "conversationId", t.id AS "threadId" FROM threads t
    WHERE t.conversation_id = ANY(${ids}::uuid[]) AND (
      t.reply_count <> (SELECT count(*) FROM messages m WHERE m.thread_id = t.id AND m.deleted_at IS NULL)
      OR NOT EXISTS (SELECT FROM messages r WHERE r.conversation_id = t.conversation_id AND r.seq = t.root_seq))`);

/** Replies to messages that are not there, or come later. */
export const listDanglingReplies = (
  db: Db,
  ids: readonly string[],
): Promise<{ conversationId: string; seq: number }[]> =>
  db.query(sql`
    SELECT m.conversation_id AS "conversationId", m.seq FROM messages m
    WHERE m.conversation_id = ANY(${ids}::uuid[]) AND m.reply_to_seq IS NOT NULL AND (m.reply_to_seq >= m.seq
      OR NOT EXISTS (SELECT FROM messages r WHERE r.conversation_id = m.conversation_id AND r.seq = m.reply_to_seq))`);
