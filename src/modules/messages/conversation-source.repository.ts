import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { ReadPosition, SystemMessage } from '../conversations/conversations.service.js';
import type { MessageRow } from './dto/message.view.js';
import { messageColumns } from './messages.repository.js';

/** A row whose numbers are drawn already. It draws no `ord` of its own. */
export async function insertSystem(tx: Tx, id: string, message: SystemMessage): Promise<MessageRow> {
  const { conversationId, seq, ord, rev, type, actorId, targetIds, data } = message;
  const [row] = await tx.query<MessageRow>(sql`
    INSERT INTO messages AS m (conversation_id, seq, rev, ord, id, kind, meta, counts, created_at)
    VALUES (${conversationId}, ${seq}, ${rev}, ${ord}, ${id}, 'system', ${JSON.stringify({ type, actorId, targetIds, data })}::jsonb,
            false, clock_timestamp())
    RETURNING ${messageColumns}`);
  if (!row) throw new Error('INSERT returned no row');
  return row;
}

const positionsOf = (positions: readonly { conversationId: string; seq: number }[]) => sql`
  unnest(${positions.map((p) => p.conversationId)}::uuid[], ${positions.map((p) => p.seq)}::bigint[])
    WITH ORDINALITY AS p (conversation_id, seq, place)`;

const readersOf = (positions: readonly ReadPosition[]) => sql`
  unnest(${positions.map((p) => p.conversationId)}::uuid[], ${positions.map((p) => p.userId)}::uuid[],
         ${positions.map((p) => p.readSeq)}::bigint[])
    WITH ORDINALITY AS p (conversation_id, user_id, read_seq, place)`;

/** The last row at or below each position; zeros where there is none. */
export const locate = (
  db: Db,
  positions: readonly { conversationId: string; seq: number }[],
): Promise<{ seq: number; ord: number }[]> =>
  db.query(sql`
    SELECT coalesce(m.seq, 0) AS seq, coalesce(m.ord, 0) AS ord FROM ${positionsOf(positions)}
    LEFT JOIN LATERAL (SELECT n.seq, n.ord FROM messages n WHERE n.conversation_id = p.conversation_id AND n.seq <= p.seq
                       ORDER BY n.seq DESC LIMIT 1) m ON true
    ORDER BY p.place`);

/** Live rows after each position that count as unread; counting stops at `cap` + 1. */
export async function countUnread(db: Db, positions: readonly ReadPosition[], cap: number): Promise<number[]> {
  const rows = await db.query<{ count: number }>(sql`
    SELECT (SELECT count(*) FROM (
              SELECT FROM messages n
              WHERE n.conversation_id = p.conversation_id AND n.seq > p.read_seq AND n.counts AND n.deleted_at IS NULL
              LIMIT ${cap + 1}) counted) AS count
    FROM ${readersOf(positions)} ORDER BY p.place`);
  return rows.map(({ count }) => count);
}

/** Live messages of others after each position that mention the user, by name or as part of all. */
export async function countMentions(db: Db, positions: readonly ReadPosition[]): Promise<number[]> {
  const rows = await db.query<{ count: number }>(sql`
    SELECT (SELECT count(*) FROM message_mentions x
            JOIN messages n ON n.conversation_id = x.conversation_id AND n.seq = x.seq
            WHERE x.user_id = p.user_id AND x.conversation_id = p.conversation_id AND x.seq > p.read_seq
              AND NOT n.mention_all AND n.deleted_at IS NULL)
         + (SELECT count(*) FROM messages n
            WHERE n.conversation_id = p.conversation_id AND n.seq > p.read_seq AND n.mention_all AND n.deleted_at IS NULL
              AND n.sender_id IS DISTINCT FROM p.user_id) AS count
    FROM ${readersOf(positions)} ORDER BY p.place`);
  return rows.map(({ count }) => count);
}

/** @throws PA422 when one of the files is not the owner's or cannot be used */
export const bindMedia = (tx: Tx, ownerId: string | null, mediaIds: readonly string[]): Promise<number> =>
  tx.execute(sql`SELECT media_bind(${ownerId}::uuid, ${mediaIds}::uuid[])`);
