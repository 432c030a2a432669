import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { SendFields } from './dto/send-message.dto.js';
import type { ScheduledView } from './dto/scheduled.view.js';

export interface ScheduledRow {
  id: string;
  userId: string;
  conversationId: string;
  clientId: string;
  payload: SendFields;
  sendAt: Date;
  state: ScheduledView['state'];
  failureCode: string | null;
  messageId: string | null;
  rev: number;
}

const columns = sql`
  s.id, s.user_id AS "userId", s.conversation_id AS "conversationId", s.client_id AS "clientId", s.payload, s.send_at AS "sendAt",
  s.state, s.failure_code AS "failureCode", s.message_id AS "messageId", s.rev`;

/** Draws a rev in the author's feed. Takes the lock of the user's head: no conversation may be locked after it. */
export async function advanceUser(tx: Tx, userId: string): Promise<number> {
  const [row] = await tx.query<{ rev: number }>(sql`SELECT user_advance(${userId}, 1) + 1 AS rev`);
  if (!row) throw new Error('user_advance answered no row');
  return row.rev;
}

export async function insertScheduled(
  tx: Tx,
  row: Pick<ScheduledRow, 'id' | 'userId' | 'conversationId' | 'clientId' | 'payload' | 'sendAt' | 'rev'>,
): Promise<ScheduledRow> {
  const [stored] = await tx.query<ScheduledRow>(sql`
    INSERT INTO scheduled_messages AS s (id, user_id, conversation_id, client_id, payload, send_at, rev)
    VALUES (${row.id}, ${row.userId}, ${row.conversationId}, ${row.clientId}, ${JSON.stringify(row.payload)}::jsonb, ${row.sendAt}, ${row.rev})
    RETURNING ${columns}`);
  if (!stored) throw new Error('INSERT returned no row');
  return stored;
}

export async function findByClient(
  db: Db,
  userId: string,
  conversationId: string,
  clientId: string,
): Promise<ScheduledRow | undefined> {
  const [row] = await db.query<ScheduledRow>(sql`
    SELECT ${columns} FROM scheduled_messages s
    WHERE s.user_id = ${userId} AND s.conversation_id = ${conversationId} AND s.client_id = ${clientId}`);
  return row;
}

/** The author's row, locked until the transaction ends. */
export async function lockScheduled(tx: Tx, id: string, userId: string): Promise<ScheduledRow | undefined> {
  const [row] = await tx.query<ScheduledRow>(
    sql`SELECT ${columns} FROM scheduled_messages s WHERE s.id = ${id} AND s.user_id = ${userId} FOR NO KEY UPDATE`,
  );
  return row;
}

/** The longest overdue row that nobody else is sending; `except` are those that could not be sent just now. */
export async function lockDue(tx: Tx, except: readonly string[]): Promise<ScheduledRow | undefined> {
  const [row] = await tx.query<ScheduledRow>(sql`
    SELECT ${columns} FROM scheduled_messages s
    WHERE s.state = 'pending' AND s.send_at <= now() AND s.id <> ALL(${except}::uuid[])
    ORDER BY s.send_at, s.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED`);
  return row;
}

export async function updateScheduled(
  tx: Tx,
  id: string,
  row: Pick<ScheduledRow, 'payload' | 'sendAt' | 'state' | 'failureCode' | 'messageId' | 'rev'>,
): Promise<ScheduledRow> {
  const [stored] = await tx.query<ScheduledRow>(sql`
    UPDATE scheduled_messages s SET payload = ${JSON.stringify(row.payload)}::jsonb, send_at = ${row.sendAt}, state = ${row.state}::scheduled_state,
      failure_code = ${row.failureCode}, message_id = ${row.messageId}, rev = ${row.rev}
    WHERE s.id = ${id} RETURNING ${columns}`);
  if (!stored) throw new Error('UPDATE returned no row');
  return stored;
}

export async function countPending(db: Db, userId: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    sql`SELECT count(*) AS count FROM scheduled_messages WHERE user_id = ${userId} AND state = 'pending'`,
  );
  return row?.count ?? 0;
}

/** Those still to be sent, the next one first. */
export const listPending = (
  db: Db,
  userId: string,
  after: readonly [sendAt: string, id: string] | null,
  limit: number,
): Promise<ScheduledRow[]> =>
  db.query<ScheduledRow>(sql`
    SELECT ${columns} FROM scheduled_messages s
    WHERE s.user_id = ${userId} AND s.state = 'pending'
      ${after === null ? sql`` : sql`AND (s.send_at, s.id) > (${after[0]}::timestamptz, ${after[1]}::uuid)`}
    ORDER BY s.send_at, s.id LIMIT ${limit}`);

export const listChangedScheduled = (
  db: Db,
  userId: string,
  after: number,
  upTo: number,
  limit: number,
): Promise<ScheduledRow[]> =>
  db.query<ScheduledRow>(sql`
    SELECT ${columns} FROM scheduled_messages s
    WHERE s.user_id = ${userId} AND s.rev > ${after} AND s.rev <= ${upTo} ORDER BY s.rev LIMIT ${limit}`);

export function toScheduledView(row: ScheduledRow): ScheduledView {
  const { payload } = row;
  return {
    id: row.id,
    conversationId: row.conversationId,
    clientId: row.clientId,
    sendAt: row.sendAt.toISOString(),
    state: row.state,
    failureCode: row.failureCode,
    messageId: row.messageId,
    kind: payload.kind,
    body: payload.body ?? null,
    meta: payload.meta ?? null,
    replyToSeq: payload.replyToSeq ?? null,
    threadId: payload.threadId ?? null,
    attachmentIds: payload.attachmentIds,
    mentions: payload.mentions,
    mentionAll: payload.mentionAll,
    silent: payload.silent,
    forwardOf: payload.forwardOf ?? null,
    rev: row.rev,
  };
}
