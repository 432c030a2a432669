import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

/**
 * Brings the search rows of messages to the messages' present state. They are locked, all of them first, so that of two
 * events about one message the later state wins whatever order they are handled in; a repeat changes nothing.
 */
export const reindex = (db: Db, messageIds: readonly string[]): Promise<number> =>
  db.execute(sql`
    WITH m AS MATERIALIZED (
      SELECT conversation_id, seq, sender_id, kind, created_at, body,
             deleted_at IS NULL AND kind <> 'system' AND coalesce(body, '') <> '' AS found
      FROM messages WHERE id = ANY(${messageIds}::uuid[]) ORDER BY id FOR SHARE
    ), gone AS (
      DELETE FROM message_search s USING m WHERE s.conversation_id = m.conversation_id AND s.seq = m.seq AND NOT m.found)
    INSERT INTO message_search (conversation_id, seq, sender_id, kind, created_at, body, tsv)
    SELECT conversation_id, seq, sender_id, kind, created_at, body, to_tsvector('simple', body) FROM m WHERE found
    ON CONFLICT (conversation_id, seq) DO UPDATE SET body = EXCLUDED.body, tsv = EXCLUDED.tsv
      WHERE message_search.body <> EXCLUDED.body`);

export interface SearchFilter {
  q: string;
  senderId?: string | undefined;
  kind?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

export interface Hit {
  conversationId: string;
  seq: number;
  body: string;
}

/**
 * Words by full text, parts of words and near misses by trigrams; the best match first, among equals the newest.
 * `rooms` are the only places looked at.
 */
export const search = (
  db: Db,
  rooms: readonly { conversationId: string; visibleFromSeq: number }[],
  filter: SearchFilter,
  offset: number,
  limit: number,
): Promise<Hit[]> =>
  db.query<Hit>(sql`
    SELECT s.conversation_id AS "conversationId", s.seq, s.body
    FROM message_search s
    JOIN unnest(${rooms.map((room) => room.conversationId)}::uuid[], ${rooms.map((room) => room.visibleFromSeq)}::bigint[])
      AS room (id, visible_from) ON room.id = s.conversation_id AND s.seq >= room.visible_from
    CROSS JOIN websearch_to_tsquery('simple', ${filter.q}) AS query
    WHERE (s.tsv @@ query OR s.body ILIKE ${`%${escapeLike(filter.q)}%`} OR ${filter.q} <% s.body)
      ${filter.senderId === undefined ? sql`` : sql`AND s.sender_id = ${filter.senderId}`}
      ${filter.kind === undefined ? sql`` : sql`AND s.kind = ${filter.kind}::message_kind`}
      ${filter.from === undefined ? sql`` : sql`AND s.created_at >= ${filter.from}::timestamptz`}
      ${filter.to === undefined ? sql`` : sql`AND s.created_at < ${filter.to}::timestamptz`}
    ORDER BY ts_rank(s.tsv, query) + word_similarity(${filter.q}, s.body) DESC, s.created_at DESC, s.conversation_id, s.seq
    OFFSET ${offset} LIMIT ${limit}`);

const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`);
