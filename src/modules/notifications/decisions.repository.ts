import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { DecisionReason } from './notifications.rules.js';

export interface DecisionRow {
  messageId: string;
  deviceId: string;
  userId: string;
  conversationId: string;
  decision: 'pending' | 'sent' | 'collapsed' | 'suppressed' | 'failed';
  reason: DecisionReason;
  provider: string;
  collapseKey: string;
  attempts: number;
  providerStatus: string | null;
  decidedAt: Date;
  /** When it was sent; while it is pending, when the last attempt began, null between attempts. */
  sentAt: Date | null;
}
export type NewDecision = Pick<
  DecisionRow,
  'messageId' | 'deviceId' | 'userId' | 'conversationId' | 'decision' | 'reason' | 'provider' | 'collapseKey'
>;
export type DecisionKey = Pick<DecisionRow, 'messageId' | 'userId' | 'deviceId'>;

const keyColumns = sql`d.message_id AS "messageId", d.user_id AS "userId", d.device_id AS "deviceId"`;
const columns = sql`
  ${keyColumns}, d.conversation_id AS "conversationId", d.decision, d.reason, d.provider, d.collapse_key AS "collapseKey",
  d.attempts, d.provider_status AS "providerStatus", d.decided_at AS "decidedAt", d.sent_at AS "sentAt"`;
/** The keys as rows `k`. */
const unnestKeys = (keys: readonly DecisionKey[]) => sql`
  unnest(${keys.map((k) => k.messageId)}::uuid[], ${keys.map((k) => k.userId)}::uuid[], ${keys.map((k) => k.deviceId)}::text[])
    AS k (message_id, user_id, device_id)`;

/** Decisions about one conversation are taken one after the other, so that two messages agree on who goes first. */
export async function lockDecisions(tx: Tx, conversationIds: readonly string[]): Promise<void> {
  const keys = conversationIds.map((id) => `notify ${id}`).toSorted();
  await tx.query(sql`SELECT pg_advisory_xact_lock(hashtextextended(k, 0)) FROM unnest(${keys}::text[]) AS k`);
}

/** What each device got in the last minute, as far as a further push must know. */
export interface RecentPushes {
  userId: string;
  deviceId: string;
  conversationId: string;
  /** A push of this conversation that has not gone yet and takes further messages along. */
  carried: boolean;
  /** Since the last push of this conversation, in ms. */
  sinceMs: number;
  count: number;
}

/** The carriers stay locked: none of them goes before what joins it is written. */
export const recentPushes = (
  tx: Tx,
  userIds: readonly string[],
  conversationIds: readonly string[],
): Promise<RecentPushes[]> =>
  tx.query<RecentPushes & Record<string, unknown>>(sql`
    WITH carrier AS MATERIALIZED (
      SELECT user_id, device_id, conversation_id FROM notification_decisions
      WHERE user_id = ANY(${userIds}::uuid[]) AND conversation_id = ANY(${conversationIds}::uuid[])
        AND decided_at > now() - interval '1 minute' AND decision = 'pending' AND sent_at IS NULL
      ORDER BY message_id, user_id, device_id FOR UPDATE)
    SELECT r.user_id AS "userId", r.device_id AS "deviceId", r.conversation_id AS "conversationId", count(*) AS count,
           EXISTS (SELECT FROM carrier AS c WHERE c.user_id = r.user_id AND c.device_id = r.device_id
                   AND c.conversation_id = r.conversation_id) AS carried,
           (extract(epoch FROM clock_timestamp() - max(coalesce(r.sent_at, r.decided_at))) * 1000)::float8 AS "sinceMs"
    FROM notification_decisions AS r
    WHERE r.user_id = ANY(${userIds}::uuid[]) AND r.decided_at > now() - interval '1 minute' AND r.decision IN ('pending', 'sent')
    GROUP BY r.user_id, r.device_id, r.conversation_id`);

/** Which decisions about these messages and users were taken before. */
export const listDecided = (
  tx: Tx,
  messageIds: readonly string[],
  userIds: readonly string[],
): Promise<DecisionKey[]> =>
  tx.query<DecisionKey & Record<string, unknown>>(sql`
    SELECT ${keyColumns} FROM notification_decisions AS d
    WHERE message_id = ANY(${messageIds}::uuid[]) AND user_id = ANY(${userIds}::uuid[])`);

export async function insertDecisions(tx: Tx, rows: readonly NewDecision[]): Promise<void> {
  await tx.execute(sql`
    INSERT INTO notification_decisions (message_id, device_id, user_id, conversation_id, decision, reason, provider, collapse_key)
    SELECT * FROM unnest(
      ${rows.map((r) => r.messageId)}::uuid[], ${rows.map((r) => r.deviceId)}::text[], ${rows.map((r) => r.userId)}::uuid[],
      ${rows.map((r) => r.conversationId)}::uuid[], ${rows.map((r) => r.decision)}::decision_outcome[],
      ${rows.map((r) => r.reason)}::text[], ${rows.map((r) => r.provider)}::text[], ${rows.map((r) => r.collapseKey)}::text[])
    ON CONFLICT (message_id, user_id, device_id) DO NOTHING`);
}

/**
 * Begins attempts; left out are decisions that are closed, and those somebody else is at. Who dies in between leaves them
 * taken for 30 s: after that nobody can know whether the push went, and it goes again under the same collapse key.
 */
export const claimDecisions = (db: Db, keys: readonly DecisionKey[]): Promise<DecisionRow[]> =>
  db.query<DecisionRow & Record<string, unknown>>(sql`
    WITH free AS MATERIALIZED (
      SELECT message_id, user_id, device_id FROM notification_decisions JOIN ${unnestKeys(keys)} USING (message_id, user_id, device_id)
      WHERE decision = 'pending' AND (sent_at IS NULL OR sent_at < now() - interval '30 seconds')
      ORDER BY message_id, user_id, device_id FOR UPDATE OF notification_decisions)
    UPDATE notification_decisions AS d SET sent_at = now(), attempts = attempts + 1 FROM free AS f
    WHERE d.message_id = f.message_id AND d.user_id = f.user_id AND d.device_id = f.device_id
    RETURNING ${columns}`);

/** Those of the decisions that are still open, whoever is at them. */
export const listPending = (db: Db, keys: readonly DecisionKey[]): Promise<DecisionKey[]> =>
  db.query<DecisionKey & Record<string, unknown>>(sql`
    SELECT ${keyColumns} FROM notification_decisions AS d JOIN ${unnestKeys(keys)} USING (message_id, user_id, device_id)
    WHERE decision = 'pending'`);

/** What each of the decisions takes along: messages that wait to be told together with its own, newest first. */
export async function listCarried(db: Db, rows: readonly DecisionRow[]): Promise<Map<DecisionRow, string[]>> {
  const found = await db.query<{ n: number; ids: string[] }>(sql`
    SELECT k.n, array_agg(d.message_id ORDER BY d.message_id DESC) AS ids
    FROM unnest(${rows.map((_, i) => i)}::int[], ${rows.map((r) => r.userId)}::uuid[], ${rows.map((r) => r.deviceId)}::text[],
                ${rows.map((r) => r.conversationId)}::uuid[], ${rows.map((r) => r.decidedAt)}::timestamptz[])
      AS k (n, user_id, device_id, conversation_id, decided_at)
    JOIN notification_decisions AS d USING (user_id, device_id, conversation_id)
    WHERE d.decision = 'collapsed' AND d.decided_at >= k.decided_at GROUP BY k.n`);
  const carried = new Map(found.map(({ n, ids }) => [rows[n], ids]));
  return new Map(rows.map((row) => [row, carried.get(row) ?? []]));
}

/** How an attempt ended for good. */
export type Closing = DecisionKey & Pick<DecisionRow, 'decision' | 'reason' | 'providerStatus'>;

/** Ends pending decisions. */
export async function closeDecisions(db: Db, closings: readonly Closing[]): Promise<void> {
  await db.execute(sql`
    UPDATE notification_decisions AS d
    SET decision = k.decision, reason = k.reason, provider_status = k.status, sent_at = CASE WHEN k.decision = 'sent' THEN now() END
    FROM unnest(${closings.map((c) => c.messageId)}::uuid[], ${closings.map((c) => c.userId)}::uuid[],
                ${closings.map((c) => c.deviceId)}::text[], ${closings.map((c) => c.decision)}::decision_outcome[],
                ${closings.map((c) => c.reason)}::text[], ${closings.map((c) => c.providerStatus)}::text[])
      AS k (message_id, user_id, device_id, decision, reason, status)
    WHERE d.message_id = k.message_id AND d.user_id = k.user_id AND d.device_id = k.device_id AND d.decision = 'pending'`);
}

/** Ends an attempt that another one will follow. */
export async function releaseDecision(db: Db, key: DecisionKey, providerStatus: string): Promise<void> {
  await db.execute(sql`
    UPDATE notification_decisions SET sent_at = NULL, provider_status = ${providerStatus}
    WHERE message_id = ${key.messageId} AND user_id = ${key.userId} AND device_id = ${key.deviceId} AND decision = 'pending'`);
}

export const listDecisions = (
  db: Db,
  messageId: string,
  userId: string,
  deviceId: string | null,
): Promise<DecisionRow[]> =>
  db.query<DecisionRow & Record<string, unknown>>(sql`
    SELECT ${columns} FROM notification_decisions AS d
    WHERE message_id = ${messageId} AND user_id = ${userId} AND (${deviceId}::text IS NULL OR device_id = ${deviceId})
    ORDER BY device_id`);

/** Opens failed decisions again; at most `limit` of them. */
export const reopenFailed = (tx: Tx, since: Date, reason: string | null, limit: number): Promise<DecisionKey[]> =>
  tx.query<DecisionKey & Record<string, unknown>>(sql`
    UPDATE notification_decisions AS d SET decision = 'pending', reason = 'ok', sent_at = NULL
    WHERE (message_id, user_id, device_id) IN (
      SELECT message_id, user_id, device_id FROM notification_decisions
      WHERE decided_at >= ${since} AND decision = 'failed' AND (${reason}::text IS NULL OR reason = ${reason})
      ORDER BY decided_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
    RETURNING ${keyColumns}`);

interface Shown extends DecisionKey, Record<string, unknown> {
  conversationId: string;
}

/** The last push that is on a screen, per user and conversation. */
export const listShown = (db: Db, places: readonly { userId: string; conversationId: string }[]): Promise<Shown[]> =>
  db.query<Shown>(sql`
    SELECT DISTINCT ON (d.user_id, d.conversation_id) ${keyColumns}, d.conversation_id AS "conversationId"
    FROM unnest(${places.map((p) => p.userId)}::uuid[], ${places.map((p) => p.conversationId)}::uuid[]) AS p (u, c)
    JOIN notification_decisions AS d ON d.user_id = p.u AND d.conversation_id = p.c
    WHERE d.decision = 'sent' AND d.decided_at > now() - interval '1 day' AND d.provider_status <> 'cleared'
    ORDER BY d.user_id, d.conversation_id, d.message_id DESC`);

/** Pushes of the conversation up to this message; each is answered to one caller only. */
export const takeShown = (
  tx: Tx,
  userId: string,
  conversationId: string,
  upTo: string,
): Promise<(DecisionKey & { collapseKey: string } & Record<string, unknown>)[]> =>
  tx.query<DecisionKey & { collapseKey: string } & Record<string, unknown>>(sql`
    UPDATE notification_decisions AS d SET provider_status = 'cleared'
    WHERE user_id = ${userId} AND conversation_id = ${conversationId} AND message_id <= ${upTo} AND decision = 'sent'
      AND decided_at > now() - interval '1 day' AND provider_status <> 'cleared'
    RETURNING ${keyColumns}, collapse_key AS "collapseKey"`);

export const purgeDecisions = (db: Db): Promise<number> =>
  db.execute(sql`DELETE FROM notification_decisions WHERE decided_at < now() - interval '30 days'`);
