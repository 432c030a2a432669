import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

/** Milliseconds since this sender's last message here, by the database's clock; null when there is none. */
export async function lastSendAgeMs(db: Db, conversationId: string, senderId: string): Promise<number | null> {
  const [row] = await db.query<{ age: number }>(sql`
    SELECT (extract(epoch FROM clock_timestamp() - created_at) * 1000)::float8 AS age FROM messages
    WHERE conversation_id = ${conversationId} AND sender_id = ${senderId} AND kind <> 'system' ORDER BY seq DESC LIMIT 1`);
  return row?.age ?? null;
}
