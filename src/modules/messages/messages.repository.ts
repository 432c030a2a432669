import type { Db } from '../../platform/database/db.js';
import { type Sql, sql } from '../../platform/database/sql.js';
import type { CallRow } from './dto/call.view.js';
import type { MessageBrief, MessageRow, ReactionView } from './dto/message.view.js';
import type { ThreadRow } from './dto/thread.view.js';

/** A message with everything its view needs, from one statement and so from one moment. */
export interface FullMessageRow extends MessageRow {
  attachmentIds: string[] | null;
  reactions: ReactionView[] | null;
  thread: ThreadRow | null;
  call: CallRow | null;
}

/** Columns of the messages row named `m`. */
export const messageColumns = sql`
  m.id, m.conversation_id AS "conversationId", m.seq, m.rev, m.ord, m.kind, m.sender_id AS "senderId", m.client_id AS "clientId",
  m.payload_hash AS "payloadHash", m.body, m.meta, m.reply_to_seq AS "replyToSeq", m.thread_id AS "threadId", m.mentions,
  m.mention_all AS "mentionAll", m.forwarded_from AS "forwardedFrom", m.silent, m.counts, m.pinned_at AS "pinnedAt",
  m.pinned_by AS "pinnedBy", m.created_at AS "createdAt", m.edited_at AS "editedAt", m.deleted_at AS "deletedAt",
  m.deleted_by AS "deletedBy"`;

/** One thread, the row named `t`, as JSON. */
export const threadJson = sql`
  json_build_object('id', t.id, 'conversationId', t.conversation_id, 'rootSeq', t.root_seq, 'rev', t.rev, 'title', t.title,
    'lockedAt', t.locked_at, 'replyCount', t.reply_count, 'lastReplySeq', t.last_reply_seq, 'lastReplyAt', t.last_reply_at,
    'createdBy', t.created_by)`;

/** One call, the row named `c`, with its participants, as JSON. */
export const callJson = sql`
  json_build_object('id', c.id, 'conversationId', c.conversation_id, 'seq', c.seq, 'media', c.media, 'state', c.state,
    'initiatorId', c.initiator_id, 'createdAt', c.created_at, 'answeredAt', c.answered_at, 'endedAt', c.ended_at,
    'endReason', c.end_reason, 'participants', coalesce((
      SELECT json_agg(json_build_object('userId', p.user_id, 'state', p.state, 'joinedAt', p.joined_at, 'leftAt', p.left_at)
                      ORDER BY p.user_id)
      FROM call_participants p WHERE p.call_id = c.id), '[]'))`;

/** Reactions of the row named `m`: each emoji by its first use, with its latest 50 users. */
export const reactionsJson = sql`(
  SELECT json_agg(json_build_object('emoji', r.emoji, 'count', r.count, 'userIds', r.users[1:50]) ORDER BY r.first, r.emoji)
  FROM (SELECT emoji, count(*) AS count, min(created_at) AS first, array_agg(user_id ORDER BY created_at DESC, user_id) AS users
        FROM message_reactions WHERE conversation_id = m.conversation_id AND seq = m.seq GROUP BY emoji) r)`;

const fullColumns = sql`${messageColumns},
  (SELECT array_agg(a.media_id ORDER BY a.position) FROM message_attachments a
   WHERE a.conversation_id = m.conversation_id AND a.seq = m.seq) AS "attachmentIds",
  ${reactionsJson} AS reactions,
  (SELECT ${threadJson} FROM threads t WHERE t.conversation_id = m.conversation_id AND t.root_seq = m.seq) AS thread,
  CASE WHEN m.kind = 'call' THEN (
    SELECT ${callJson} FROM call_logs c WHERE c.conversation_id = m.conversation_id AND c.seq = m.seq) END AS call`;

const select = (db: Db, rest: Sql): Promise<FullMessageRow[]> =>
  db.query<FullMessageRow>(sql`SELECT ${fullColumns} FROM messages m ${rest}`);

export async function findBySeq(db: Db, conversationId: string, seq: number): Promise<FullMessageRow | undefined> {
  const [row] = await select(db, sql`WHERE m.conversation_id = ${conversationId} AND m.seq = ${seq}`);
  return row;
}

export async function findById(db: Db, id: string): Promise<FullMessageRow | undefined> {
  const [row] = await select(db, sql`WHERE m.id = ${id}`);
  return row;
}

export async function findByClientId(
  db: Db,
  conversationId: string,
  senderId: string,
  clientId: string,
): Promise<FullMessageRow | undefined> {
  const [row] = await select(
    db,
    sql`WHERE m.conversation_id = ${conversationId} AND m.sender_id = ${senderId} AND m.client_id = ${clientId}`,
  );
  return row;
}

/** The row alone, for decisions. */
export async function findRow(db: Db, conversationId: string, seq: number): Promise<MessageRow | undefined> {
  const [row] = await db.query<MessageRow>(
    sql`SELECT ${messageColumns} FROM messages m WHERE m.conversation_id = ${conversationId} AND m.seq = ${seq}`,
  );
  return row;
}

/** By conversation and seq. */
export const listBriefs = (db: Db, ids: readonly string[]): Promise<MessageBrief[]> =>
  db.query<MessageBrief & Record<string, unknown>>(sql`
    SELECT m.id, m.conversation_id AS "conversationId", m.seq, m.kind, m.sender_id AS "senderId", m.reply_to_seq AS "replyToSeq",
           m.thread_id AS "threadId", m.mentions, m.mention_all AS "mentionAll", m.silent, m.created_at AS "createdAt",
           m.deleted_at AS "deletedAt"
    FROM messages m WHERE m.id = ANY(${ids}::uuid[]) ORDER BY m.conversation_id, m.seq`);

export const findByPlaces = (
  db: Db,
  places: readonly { conversationId: string; seq: number }[],
): Promise<FullMessageRow[]> =>
  select(
    db,
    sql`JOIN unnest(${places.map((p) => p.conversationId)}::uuid[], ${places.map((p) => p.seq)}::bigint[]) AS place (conversation_id, seq)
          ON place.conversation_id = m.conversation_id AND place.seq = m.seq`,
  );

/** A stretch of history, nearest to the position first. */
export interface Stretch {
  conversationId: string;
  visibleFromSeq: number;
  /** The head of the conversation: what is sent meanwhile is left out. */
  headSeq: number;
  /** Replies of this thread only. */
  threadId?: string | undefined;
}

const ofThread = (threadId: string | undefined): Sql =>
  threadId === undefined ? sql`` : sql`AND m.thread_id = ${threadId}`;

/** Up to `limit` messages below `seq`, newest first. */
export const listBefore = (db: Db, stretch: Stretch, seq: number, limit: number): Promise<FullMessageRow[]> =>
  select(
    db,
    sql`WHERE m.conversation_id = ${stretch.conversationId} AND m.seq < ${Math.min(seq, stretch.headSeq + 1)} AND m.seq >= ${stretch.visibleFromSeq}
        ${ofThread(stretch.threadId)} ORDER BY m.seq DESC LIMIT ${limit}`,
  );

/** Up to `limit` messages above `seq`, oldest first. */
export const listAfter = (db: Db, stretch: Stretch, seq: number, limit: number): Promise<FullMessageRow[]> =>
  select(
    db,
    sql`WHERE m.conversation_id = ${stretch.conversationId} AND m.seq > ${Math.max(seq, stretch.visibleFromSeq - 1)}
        AND m.seq <= ${stretch.headSeq} ${ofThread(stretch.threadId)} ORDER BY m.seq LIMIT ${limit}`,
  );

/** The newest `limit` visible messages of each conversation, by seq. */
export const listNewest = (
  db: Db,
  rooms: readonly { id: string; visibleFromSeq: number }[],
  limit: number,
): Promise<FullMessageRow[]> =>
  db.query<FullMessageRow>(sql`
    SELECT ${fullColumns}
    FROM unnest(${rooms.map((r) => r.id)}::uuid[], ${rooms.map((r) => r.visibleFromSeq)}::bigint[]) AS room (id, visible_from)
    CROSS JOIN LATERAL (SELECT * FROM messages n WHERE n.conversation_id = room.id AND n.seq >= room.visible_from
                        ORDER BY n.seq DESC LIMIT ${limit}) m
    ORDER BY m.conversation_id, m.seq`);

/** Rows changed in each range, by rev, at most `limit` for each. */
export const listChanged = (
  db: Db,
  ranges: readonly { id: string; after: number; upTo: number }[],
  limit: number,
): Promise<FullMessageRow[]> =>
  db.query<FullMessageRow>(sql`
    SELECT ${fullColumns}
    FROM unnest(${ranges.map((r) => r.id)}::uuid[], ${ranges.map((r) => r.after)}::bigint[], ${ranges.map((r) => r.upTo)}::bigint[])
      AS range (id, after, up_to)
    CROSS JOIN LATERAL (SELECT * FROM messages n
                        WHERE n.conversation_id = range.id AND n.rev > range.after AND n.rev <= range.up_to
                        ORDER BY n.rev LIMIT ${limit}) m
    ORDER BY m.conversation_id, m.rev`);

/** The latest pin first; `before` is the place of the last one of the page before. */
export const listPinned = (
  db: Db,
  conversationId: string,
  visibleFromSeq: number,
  before: readonly [pinnedAt: string, seq: number] | null,
  limit: number,
): Promise<FullMessageRow[]> =>
  select(
    db,
    sql`WHERE m.conversation_id = ${conversationId} AND m.pinned_at IS NOT NULL AND m.seq >= ${visibleFromSeq}
        ${before === null ? sql`` : sql`AND (m.pinned_at, m.seq) < (${before[0]}::timestamptz, ${before[1]}::bigint)`}
        ORDER BY m.pinned_at DESC, m.seq DESC LIMIT ${limit}`,
  );

/** Milliseconds since this sender's last message here, by the database's clock; null when there is none. */
export async function lastSendAgeMs(db: Db, conversationId: string, senderId: string): Promise<number | null> {
  const [row] = await db.query<{ age: number }>(sql`
    SELECT (extract(epoch FROM clock_timestamp() - created_at) * 1000)::float8 AS age FROM messages
    WHERE conversation_id = ${conversationId} AND sender_id = ${senderId} AND kind <> 'system' ORDER BY seq DESC LIMIT 1`);
  return row?.age ?? null;
}

/** Where a file is shown, in an order in which all take their locks. */
export const listShowing = (db: Db, mediaId: string): Promise<{ conversationId: string; seq: number }[]> =>
  db.query(sql`
    SELECT DISTINCT conversation_id AS "conversationId", seq FROM message_attachments WHERE media_id = ${mediaId} ORDER BY 1, 2`);

/** Sets when messages were sent, `ages[i]` seconds before now. */
export async function ageMessages(db: Db, conversationId: string, seqs: number[], ages: number[]): Promise<void> {
  await db.execute(sql`
    UPDATE messages m SET created_at = now() - make_interval(secs => a.age)
    FROM unnest(${seqs}::bigint[], ${ages}::int[]) AS a(seq, age)
    WHERE m.conversation_id = ${conversationId} AND m.seq = a.seq`);
}
