import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

/** Emojis a user has put under a message. */
export async function findOwn(db: Db, conversationId: string, seq: number, userId: string): Promise<string[]> {
  const rows = await db.query<{ emoji: string }>(sql`
    SELECT emoji FROM message_reactions
    WHERE conversation_id = ${conversationId} AND seq = ${seq} AND user_id = ${userId} ORDER BY created_at, emoji`);
  return rows.map(({ emoji }) => emoji);
}

export const addReaction = (
  tx: Tx,
  conversationId: string,
  seq: number,
  emoji: string,
  userId: string,
): Promise<number> =>
  tx.execute(sql`
    INSERT INTO message_reactions (conversation_id, seq, emoji, user_id, created_at)
    VALUES (${conversationId}, ${seq}, ${emoji}, ${userId}, clock_timestamp()) ON CONFLICT DO NOTHING`);

export const removeReaction = (
  tx: Tx,
  conversationId: string,
  seq: number,
  emoji: string,
  userId: string,
): Promise<number> =>
  tx.execute(sql`
    DELETE FROM message_reactions
    WHERE conversation_id = ${conversationId} AND seq = ${seq} AND emoji = ${emoji} AND user_id = ${userId}`);

export interface ReactionRow {
  userId: string;
  emoji: string;
  at: Date;
}

/** Who reacted, by emoji and user; `after` is the last one of the page before. */
export const listReactions = (
  db: Db,
  conversationId: string,
  seq: number,
  emoji: string | undefined,
  after: readonly [emoji: string, userId: string] | null,
  limit: number,
): Promise<ReactionRow[]> =>
  db.query<ReactionRow>(sql`
    SELECT user_id AS "userId", emoji, created_at AS at FROM message_reactions
    WHERE conversation_id = ${conversationId} AND seq = ${seq}
      ${emoji === undefined ? sql`` : sql`AND emoji = ${emoji}`}
      ${after === null ? sql`` : sql`AND (emoji, user_id) > (${after[0]}, ${after[1]}::uuid)`}
    ORDER BY emoji, user_id LIMIT ${limit}`);
