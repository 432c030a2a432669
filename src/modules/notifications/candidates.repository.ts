import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { Place } from '../conversations/conversations.service.js';
import type { MessageBrief } from '../messages/dto/message.view.js';

const LOWEST = '00000000-0000-0000-0000-000000000000';

/** Ids of the messages for which anybody but the sender has a device. */
export async function listReachable(db: Db, messages: readonly MessageBrief[]): Promise<Set<string>> {
  if (messages.length === 0) return new Set();
  const rows = await db.query<{ id: string }>(sql`
    WITH said AS (
      SELECT * FROM unnest(${messages.map((m) => m.id)}::uuid[], ${messages.map((m) => m.conversationId)}::uuid[],
                           ${messages.map((m) => m.senderId)}::uuid[]) AS s (id, conversation_id, sender_id)
    ), reached AS MATERIALIZED (
      SELECT p.conversation_id, p.sender_id FROM (SELECT DISTINCT conversation_id, sender_id FROM said) AS p
      WHERE EXISTS (
        SELECT FROM active_members(p.conversation_id, ${LOWEST}) AS m
        JOIN push_devices AS d ON d.user_id = m.user_id AND d.deleted_at IS NULL
        WHERE m.user_id IS DISTINCT FROM p.sender_id))
    SELECT s.id FROM said AS s JOIN reached AS r
      ON r.conversation_id = s.conversation_id AND r.sender_id IS NOT DISTINCT FROM s.sender_id`);
  return new Set(rows.map(({ id }) => id));
}

/** Members with a device, by conversation and user, beginning behind `after`. */
export const listCandidates = (
  db: Db,
  conversationIds: readonly string[],
  after: Place | null,
  limit: number,
): Promise<Place[]> =>
  db.query<Place & Record<string, unknown>>(sql`
    SELECT c.id AS "conversationId", m.user_id AS "userId"
    FROM unnest(${conversationIds}::uuid[], ${conversationIds.map((id) => (id === after?.conversationId ? after.userId : LOWEST))}::uuid[])
      AS c (id, after)
    CROSS JOIN LATERAL (
      SELECT a.user_id FROM active_members(c.id, c.after) AS a
      WHERE EXISTS (SELECT FROM push_devices AS d WHERE d.user_id = a.user_id AND d.deleted_at IS NULL)
      ORDER BY a.user_id LIMIT ${limit}) AS m
    WHERE c.id >= ${after?.conversationId ?? LOWEST}
    ORDER BY c.id, m.user_id LIMIT ${limit}`);

/** Those of the pairs of which one has blocked the other, as `a b`. */
export async function listBlocked(db: Db, pairs: readonly (readonly [a: string, b: string])[]): Promise<Set<string>> {
  if (pairs.length === 0) return new Set();
  const rows = await db.query<{ a: string; b: string }>(sql`
    SELECT a, b FROM unnest(${pairs.map(([a]) => a)}::uuid[], ${pairs.map(([, b]) => b)}::uuid[]) AS p (a, b)
    WHERE users_blocked(a, b)`);
  return new Set(rows.map(({ a, b }) => `${a} ${b}`));
}
