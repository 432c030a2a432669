import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

export const setRev = (tx: Tx, conversationId: string, seq: number, rev: number): Promise<number> =>
  tx.execute(sql`UPDATE messages SET rev = ${rev} WHERE conversation_id = ${conversationId} AND seq = ${seq}`);

export interface Content {
  body: string | null;
  meta: Record<string, unknown> | null;
  mentions: readonly string[];
}

export const setContent = (
  tx: Tx,
  conversationId: string,
  seq: number,
  { body, meta, mentions }: Content,
): Promise<number> =>
  tx.execute(sql`
    WITH gone AS (
      DELETE FROM message_mentions WHERE conversation_id = ${conversationId} AND seq = ${seq} AND user_id <> ALL(${mentions}::uuid[])
    ), added AS (
      INSERT INTO message_mentions (user_id, conversation_id, seq) SELECT u, ${conversationId}::uuid, ${seq}::bigint
      FROM unnest(${mentions}::uuid[]) AS u ON CONFLICT DO NOTHING)
    UPDATE messages SET body = ${body}, meta = ${meta === null ? null : JSON.stringify(meta)}::jsonb, mentions = ${mentions}::uuid[], edited_at = now()
    WHERE conversation_id = ${conversationId} AND seq = ${seq}`);

/** Replaces the files; they are bound already. */
export async function setAttachments(
  tx: Tx,
  conversationId: string,
  seq: number,
  mediaIds: readonly string[],
): Promise<void> {
  await tx.execute(sql`DELETE FROM message_attachments WHERE conversation_id = ${conversationId} AND seq = ${seq}`);
  if (mediaIds.length === 0) return;
  await tx.execute(sql`
    INSERT INTO message_attachments (conversation_id, seq, position, media_id)
    SELECT ${conversationId}::uuid, ${seq}::bigint, f.position - 1, f.id
    FROM unnest(${mediaIds}::uuid[]) WITH ORDINALITY AS f (id, position)`);
}

/** Leaves a tombstone: who, where and when, and nothing of what was said. */
export async function bury(tx: Tx, conversationId: string, seq: number, by: string | null): Promise<void> {
  await tx.execute(sql`
    WITH place AS (SELECT ${conversationId}::uuid AS conversation_id, ${seq}::bigint AS seq),
    files AS (DELETE FROM message_attachments x USING place p WHERE x.conversation_id = p.conversation_id AND x.seq = p.seq),
    reactions AS (DELETE FROM message_reactions x USING place p WHERE x.conversation_id = p.conversation_id AND x.seq = p.seq),
    mentioned AS (DELETE FROM message_mentions x USING place p WHERE x.conversation_id = p.conversation_id AND x.seq = p.seq)
    UPDATE messages m SET body = NULL, meta = NULL, mentions = '{}', mention_all = false, forwarded_from = NULL,
      pinned_at = NULL, pinned_by = NULL, deleted_at = now(), deleted_by = ${by}
    FROM place p WHERE m.conversation_id = p.conversation_id AND m.seq = p.seq`);
  // After the message is locked, the order in which the index is filled too.
  await tx.execute(sql`DELETE FROM message_search WHERE conversation_id = ${conversationId} AND seq = ${seq}`);
}

export const setPin = (tx: Tx, conversationId: string, seq: number, by: string | null): Promise<number> =>
  tx.execute(sql`
    UPDATE messages SET pinned_at = CASE WHEN ${by}::uuid IS NULL THEN NULL ELSE now() END, pinned_by = ${by}
    WHERE conversation_id = ${conversationId} AND seq = ${seq}`);

export async function countPins(db: Db, conversationId: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    sql`SELECT count(*) AS count FROM messages WHERE conversation_id = ${conversationId} AND pinned_at IS NOT NULL`,
  );
  return row?.count ?? 0;
}
