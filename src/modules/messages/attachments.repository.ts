import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

const shownBy = (mediaId: string) => sql`
  FROM message_attachments a JOIN messages m ON m.conversation_id = a.conversation_id AND m.seq = a.seq
  WHERE a.media_id = ${mediaId} AND m.deleted_at IS NULL`;

/** The newest live message with the file in each of these conversations that has one. */
export const findShown = (
  db: Db,
  mediaId: string,
  conversationIds: readonly string[],
): Promise<{ conversationId: string; seq: number }[]> =>
  db.query(sql`
    SELECT a.conversation_id AS "conversationId", max(a.seq) AS seq ${shownBy(mediaId)}
      AND a.conversation_id = ANY(${conversationIds}::uuid[])
    GROUP BY a.conversation_id`);

export async function isShown(db: Db, mediaId: string): Promise<boolean> {
  const [row] = await db.query<{ shown: boolean }>(sql`SELECT EXISTS (SELECT ${shownBy(mediaId)}) AS shown`);
  return row?.shown ?? false;
}
