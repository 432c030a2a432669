import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { Transition } from './calls.rules.js';
import type { CallRow } from './dto/call.view.js';
import type { MessageRow } from './dto/message.view.js';
import { callJson, messageColumns } from './messages.repository.js';

export async function findCall(db: Db, id: string): Promise<CallRow | undefined> {
  const [row] = await db.query<{ call: CallRow }>(sql`SELECT ${callJson} AS call FROM call_logs c WHERE c.id = ${id}`);
  return row?.call;
}

export async function findRunning(db: Db, conversationId: string): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(
    sql`SELECT id FROM call_logs WHERE conversation_id = ${conversationId} AND state IN ('ringing', 'active')`,
  );
  return row?.id;
}

export interface NewCall {
  id: string;
  messageId: string;
  conversationId: string;
  /** The head before it. */
  head: { seq: number; ord: number; rev: number };
  media: string;
  initiatorId: string;
  deviceId: string;
  clientId: string;
  payloadHash: string;
  calledIds: readonly string[];
}

/** The call, its message and those who are called, with numbers drawn already. */
export async function insertCall(tx: Tx, call: NewCall): Promise<MessageRow> {
  const [row] = await tx.query<MessageRow>(sql`
    INSERT INTO messages AS m (conversation_id, seq, rev, ord, id, kind, sender_id, client_id, payload_hash, created_at)
    VALUES (${call.conversationId}, ${call.head.seq + 1}, ${call.head.rev + 1}, ${call.head.ord + 1}, ${call.messageId}, 'call',
            ${call.initiatorId}, ${call.clientId}, ${call.payloadHash}, clock_timestamp())
    RETURNING ${messageColumns}`);
  if (!row) throw new Error('INSERT returned no row');
  await tx.execute(sql`
    WITH call AS (
      INSERT INTO call_logs (id, conversation_id, seq, media, initiator_id)
      VALUES (${call.id}, ${call.conversationId}, ${call.head.seq + 1}, ${call.media}::call_media, ${call.initiatorId}) RETURNING id)
    INSERT INTO call_participants (call_id, user_id, state, device_id, joined_at)
    SELECT call.id, ${call.initiatorId}::uuid, 'joined'::call_participant_state, ${call.deviceId}::text, now() FROM call
    UNION ALL SELECT call.id, u, 'ringing', NULL, NULL FROM call, unnest(${call.calledIds}::uuid[]) AS u`);
  return row;
}

/** `by` is who caused it, with the device they use; null is the time that has passed. */
export async function writeTransition(
  tx: Tx,
  callId: string,
  { state, participants, endReason }: Transition,
  by: { userId: string; deviceId: string } | null,
): Promise<void> {
  await tx.execute(sql`
    UPDATE call_logs SET state = ${state}::call_state, answered_at = CASE WHEN ${state} = 'active' THEN coalesce(answered_at, now()) ELSE answered_at END,
      ended_at = CASE WHEN ${state} IN ('ringing', 'active') THEN NULL ELSE now() END,
      ended_by = CASE WHEN ${state} IN ('ringing', 'active') THEN NULL ELSE ${by?.userId ?? null}::uuid END, end_reason = ${endReason}
    WHERE id = ${callId}`);
  await tx.execute(sql`
    INSERT INTO call_participants AS p (call_id, user_id, state, device_id, joined_at, left_at)
    SELECT ${callId}::uuid, n.user_id, n.state::call_participant_state, CASE WHEN n.user_id = ${by?.userId ?? null}::uuid THEN ${by?.deviceId ?? null} END,
      CASE WHEN n.state = 'joined' THEN now() END, NULL
    FROM unnest(${[...participants.keys()]}::uuid[], ${[...participants.values()]}::text[]) AS n (user_id, state)
    ON CONFLICT (call_id, user_id) DO UPDATE SET state = EXCLUDED.state,
      device_id = CASE WHEN EXCLUDED.state = 'joined' THEN EXCLUDED.device_id ELSE p.device_id END,
      joined_at = CASE WHEN EXCLUDED.state = 'joined' THEN coalesce(p.joined_at, now()) ELSE p.joined_at END,
      left_at = CASE EXCLUDED.state WHEN 'left' THEN now() WHEN 'joined' THEN NULL ELSE p.left_at END`);
}

/** Calls that have rung for `ringMs` and still ring for somebody. */
export const listExpired = (
  db: Db,
  ringMs: number,
  limit: number,
): Promise<{ conversationId: string; seq: number }[]> =>
  db.query(sql`
    SELECT c.conversation_id AS "conversationId", c.seq FROM call_logs c
    WHERE c.created_at < now() - make_interval(secs => ${ringMs / 1000})
      AND (c.state = 'ringing' OR c.state = 'active' AND EXISTS (SELECT FROM call_participants p WHERE p.call_id = c.id AND p.state = 'ringing'))
    ORDER BY c.created_at LIMIT ${limit}`);

/** The user's calls in these conversations, the latest first. */
export async function listCalls(
  db: Db,
  userId: string,
  conversationIds: readonly string[],
  before: string | null,
  limit: number,
): Promise<CallRow[]> {
  const rows = await db.query<{ call: CallRow }>(sql`
    SELECT ${callJson} AS call FROM call_logs c JOIN call_participants own ON own.call_id = c.id AND own.user_id = ${userId}
    WHERE c.conversation_id = ANY(${conversationIds}::uuid[]) ${before === null ? sql`` : sql`AND c.id < ${before}::uuid`}
    ORDER BY c.id DESC LIMIT ${limit}`);
  return rows.map(({ call }) => call);
}

/** Ends a call of a deleted conversation, without a number. */
export const abandonCall = (db: Db, conversationId: string, seq: number): Promise<number> =>
  db.execute(sql`
    UPDATE call_logs SET state = 'missed', ended_at = now(), end_reason = 'conversation_deleted'
    WHERE conversation_id = ${conversationId} AND seq = ${seq} AND state IN ('ringing', 'active')`);
