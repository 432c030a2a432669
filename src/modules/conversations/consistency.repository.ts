import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

/** The counters of one conversation, as its head says. */
export interface HeadCounters {
  conversationId: string;
  seq: number;
  ord: number;
  rev: number;
  lastDeleteSeq: number;
}

/** Where an active member has read to, and how much is unread by the distance of two counters. */
export interface ReadMark {
  conversationId: string;
  userId: string;
  readSeq: number;
  unread: number;
}

/** Heads by conversation id, above one. */
export const listHeads = (db: Db, after: string | null, limit: number): Promise<HeadCounters[]> =>
  db.query<HeadCounters>(sql`
    SELECT conversation_id AS "conversationId", seq, ord, rev, last_delete_seq AS "lastDeleteSeq" FROM conversation_head
    WHERE ${after}::uuid IS NULL OR conversation_id > ${after}::uuid ORDER BY conversation_id LIMIT ${limit}`);

/** Memberships that contradict 0 <= read <= delivered <= head. */
export const listMisplacedWatermarks = (
  db: Db,
  ids: readonly string[],
): Promise<{ conversationId: string; userId: string }[]> =>
  db.query(sql`
    SELECT m.conversation_id AS "conversationId", m.user_id AS "userId"
    FROM memberships m JOIN conversation_head h USING (conversation_id)
    WHERE m.conversation_id = ANY(${ids}::uuid[])
      AND NOT (0 <= m.read_seq AND m.read_seq <= m.delivered_seq AND m.delivered_seq <= h.seq AND m.read_ord <= h.ord)`);

/** Active members whose unread is not counted from rows (protocol 7.12). */
export const listReadMarks = (db: Db, ids: readonly string[]): Promise<ReadMark[]> =>
  db.query<ReadMark>(sql`
    SELECT m.conversation_id AS "conversationId", m.user_id AS "userId", m.read_seq AS "readSeq", h.ord - m.read_ord AS unread
    FROM memberships m JOIN conversation_head h USING (conversation_id)
    WHERE m.conversation_id = ANY(${ids}::uuid[]) AND m.state = 'active' AND h.last_delete_seq <= m.read_seq`);
