import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

export interface Place {
  conversationId: string;
  seq: number;
}

/** Conversations the user has written in. Reads the whole table, once per erased account. */
export async function listWrittenIn(db: Db, userId: string): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    sql`SELECT DISTINCT conversation_id AS id FROM messages WHERE sender_id = ${userId} ORDER BY 1`,
  );
  return rows.map(({ id }) => id);
}

/** Live messages of the user in a conversation, by seq. */
export const listOwn = (
  db: Db,
  conversationId: string,
  userId: string,
  afterSeq: number,
  limit: number,
): Promise<OwnMessage[]> =>
  db.query<OwnMessage>(sql`
    SELECT id, conversation_id AS "conversationId", seq, kind, body, meta, created_at AS "createdAt", edited_at AS "editedAt"
    FROM messages
    WHERE conversation_id = ${conversationId} AND sender_id = ${userId} AND seq > ${afterSeq} AND deleted_at IS NULL
    ORDER BY seq LIMIT ${limit}`);

export interface OwnMessage extends Place {
  id: string;
  kind: string;
  body: string | null;
  meta: Record<string, unknown> | null;
  createdAt: Date;
  editedAt: Date | null;
}

/** Nothing that waits to be sent remains, nor what it would have said. */
export const dropScheduled = (tx: Tx, userId: string): Promise<number> =>
  tx.execute(sql`
    UPDATE scheduled_messages SET state = CASE WHEN state = 'pending' THEN 'cancelled' ELSE state END,
      payload = jsonb_build_object('kind', 'text', 'attachmentIds', '[]'::jsonb, 'mentions', '[]'::jsonb, 'mentionAll', false, 'silent', false)
    WHERE user_id = ${userId}`);
