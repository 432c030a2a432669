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

// Clients choose device ids, so two users may have the same; in the ledger's key each is its user's own.
const ledgerId = ({ userId, deviceId }: Omit<DecisionKey, 'messageId'>) => `${userId}/${deviceId}`;
const ownId = sql`split_part(device_id, '/', 2)`;
const keyColumns = sql`message_id AS "messageId", user_id AS "userId", ${ownId} AS "deviceId"`;

const columns = sql`
  ${keyColumns}, conversation_id AS "conversationId", decision, reason,
  provider, collapse_key AS "collapseKey", attempts, provider_status AS "providerStatus", decided_at AS "decidedAt", sent_at AS "sentAt"`;
const of = (key: DecisionKey) => sql`message_id = ${key.messageId} AND device_id = ${ledgerId(key)}`;

/** Decisions about one conversation are taken one after the other, so that two messages agree on who goes first. */
export async function lockDecisions(tx: Tx, conversationId: string): Promise<void> {
  await tx.query(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`notify ${conversationId}`}, 0))`);
}

/** What each device got in the last minute, as far as a further push must know. */
export interface RecentPushes {
  deviceId: string;
  userId: string;
  /** A push of this conversation that has not gone yet and takes further messages along. */
  carried: boolean;
  /** Since the last push of this conversation, in ms. */
  sinceMs: number | null;
  /** Pushes of all conversations. */
  count: number;
}

/** The carriers stay locked: none of them goes before what joins it is written. */
export const recentPushes = (tx: Tx, userIds: readonly string[], conversationId: string): Promise<RecentPushes[]> =>
  tx.query<RecentPushes & Record<string, unknown>>(sql`
    WITH recent AS MATERIALIZED (
      SELECT device_id, user_id, conversation_id, decision, decided_at, sent_at FROM notification_decisions
      WHERE user_id = ANY(${userIds}::uuid[]) AND decided_at > now() - interval '1 minute' AND decision IN ('pending', 'sent')
      ORDER BY message_id, device_id FOR UPDATE)
    SELECT ${ownId} AS "deviceId", user_id AS "userId", count(*) AS count,
           bool_or(conversation_id = ${conversationId} AND decision = 'pending' AND sent_at IS NULL) AS carried,
           (extract(epoch FROM clock_timestamp() - max(coalesce(sent_at, decided_at)) FILTER (WHERE conversation_id = ${conversationId})) * 1000)::float8 AS "sinceMs"
    FROM recent GROUP BY device_id, user_id`);

/** Enters what is not in the ledger yet; answers which rows are new. */
export const insertDecisions = (tx: Tx, rows: readonly NewDecision[]): Promise<DecisionKey[]> =>
  tx.query<DecisionKey & Record<string, unknown>>(sql`
    INSERT INTO notification_decisions (message_id, device_id, user_id, conversation_id, decision, reason, provider, collapse_key)
    SELECT * FROM unnest(
      ${rows.map((r) => r.messageId)}::uuid[], ${rows.map(ledgerId)}::text[], ${rows.map((r) => r.userId)}::uuid[],
      ${rows.map((r) => r.conversationId)}::uuid[], ${rows.map((r) => r.decision)}::decision_outcome[],
      ${rows.map((r) => r.reason)}::text[], ${rows.map((r) => r.provider)}::text[], ${rows.map((r) => r.collapseKey)}::text[])
    ON CONFLICT (message_id, device_id) DO NOTHING
    RETURNING ${keyColumns}`);

/**
 * Begins an attempt; undefined when the decision is closed or somebody else is at it. Who dies in between leaves it taken
 * for 30 s: after that nobody can know whether the push went, and it goes again under the same collapse key.
 */
export async function claimDecision(db: Db, key: DecisionKey): Promise<DecisionRow | undefined> {
  const [row] = await db.query<DecisionRow & Record<string, unknown>>(sql`
    UPDATE notification_decisions SET sent_at = now(), attempts = attempts + 1
    WHERE ${of(key)} AND decision = 'pending' AND (sent_at IS NULL OR sent_at < now() - interval '30 seconds')
    RETURNING ${columns}`);
  return row;
}

export async function findDecision(db: Db, key: DecisionKey): Promise<DecisionRow | undefined> {
  const [row] = await db.query<DecisionRow & Record<string, unknown>>(
    sql`SELECT ${columns} FROM notification_decisions WHERE ${of(key)}`,
  );
  return row;
}

/** Messages that wait to be told together with this one, newest first; this one is the last. */
export async function carriedBy(db: Db, row: DecisionRow): Promise<string[]> {
  const rows = await db.query<{ id: string }>(sql`
    SELECT message_id AS id FROM notification_decisions
    WHERE user_id = ${row.userId} AND device_id = ${ledgerId(row)} AND conversation_id = ${row.conversationId}
      AND decision = 'collapsed' AND decided_at >= ${row.decidedAt} ORDER BY message_id DESC LIMIT 100`);
  return [...rows.map(({ id }) => id), row.messageId];
}

/** Ends a pending decision. */
export async function closeDecision(
  db: Db,
  key: DecisionKey,
  outcome: Pick<DecisionRow, 'decision' | 'reason' | 'providerStatus'>,
): Promise<void> {
  await db.execute(sql`
    UPDATE notification_decisions
    SET decision = ${outcome.decision}::decision_outcome, reason = ${outcome.reason}, provider_status = ${outcome.providerStatus},
        sent_at = CASE WHEN ${outcome.decision} = 'sent' THEN now() END
    WHERE ${of(key)} AND decision = 'pending'`);
}

/** Ends an attempt that another one will follow. */
export async function releaseDecision(db: Db, key: DecisionKey, providerStatus: string): Promise<void> {
  await db.execute(sql`
    UPDATE notification_decisions SET sent_at = NULL, provider_status = ${providerStatus}
    WHERE ${of(key)} AND decision = 'pending'`);
}

export const listDecisions = (
  db: Db,
  messageId: string,
  userId: string,
  deviceId: string | null,
): Promise<DecisionRow[]> =>
  db.query<DecisionRow & Record<string, unknown>>(sql`
    SELECT ${columns} FROM notification_decisions
    WHERE message_id = ${messageId} AND user_id = ${userId} AND (${deviceId}::text IS NULL OR device_id = ${deviceId === null ? null : ledgerId({ userId, deviceId })})
    ORDER BY device_id`);

/** Opens failed decisions again; at most `limit` of them. */
export const reopenFailed = (tx: Tx, since: Date, reason: string | null, limit: number): Promise<DecisionKey[]> =>
  tx.query<DecisionKey & Record<string, unknown>>(sql`
    UPDATE notification_decisions SET decision = 'pending', reason = 'ok', sent_at = NULL
    WHERE (message_id, device_id) IN (
      SELECT message_id, device_id FROM notification_decisions
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
    UPDATE notification_decisions SET provider_status = 'cleared'
    WHERE user_id = ${userId} AND conversation_id = ${conversationId} AND message_id <= ${upTo} AND decision = 'sent'
      AND decided_at > now() - interval '1 day' AND provider_status <> 'cleared'
    RETURNING ${keyColumns}, collapse_key AS "collapseKey"`);

export const purgeDecisions = (db: Db): Promise<number> =>
  db.execute(sql`DELETE FROM notification_decisions WHERE decided_at < now() - interval '30 days'`);
