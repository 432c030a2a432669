import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { MessageRow } from './dto/message.view.js';
import type { ThreadRow } from './dto/thread.view.js';
import { countsAsUnread, type Draft, planBatch } from './message-batch.rules.js';
import { threadJson } from './messages.repository.js';

/** What a message gets by being stored. */
interface Numbers {
  seq: number;
  rev: number;
  ord: number;
  createdAt: Date;
}

export interface Appended {
  /** In the order of the drafts. */
  rows: MessageRow[];
  /** Threads that were replied to, in their new state, by rev. */
  threads: ThreadRow[];
}

/**
 * Stores messages of one conversation in one statement: numbers, rows, watermarks of the senders, outbox. It holds the
 * head's row lock from its start to its commit, so it does nothing else; parts that no draft needs are left out.
 *
 * Raises PA404, PA403 (a sender is no active member), PA405 (may not just write), PA429 (slow mode), PA422 (attachments) and 23505 (a clientId is
 * stored already); each ends the statement, so no number is lost. An ON CONFLICT beside the counters would leave holes.
 */
export async function appendMessages(db: Db, conversationId: string, drafts: readonly Draft[]): Promise<Appended> {
  const plan = planBatch(drafts);
  const stored = await db.query<Numbers & { threads: ThreadRow[] | null }>(sql`
    WITH h AS MATERIALIZED (
      SELECT * FROM conversation_advance(${conversationId}, ${plan.seqs}, ${plan.ords}, ${plan.revs}, NULL,
        ${plan.marks.map((mark) => mark.actor)}::uuid[], ${plan.marks.map((mark) => mark.seq)}::bigint[],
        ${plan.marks.map((mark) => mark.ord)}::bigint[], ${plan.marks.map((mark) => mark.force)}::boolean[])
    )${admitPart(conversationId, drafts)}${pacePart(conversationId, drafts)}, ins AS (
      INSERT INTO messages (conversation_id, seq, rev, ord, id, kind, sender_id, client_id, payload_hash, body, meta, reply_to_seq,
        thread_id, mentions, mention_all, forwarded_from, silent, counts, created_at)
      SELECT ${conversationId}::uuid, h.seq + i.n, h.rev + i.n, h.ord + i.o, i.id, i.kind::message_kind, i.sender_id, i.client_id,
        i.payload_hash, i.body, i.meta::jsonb, i.reply_to_seq, i.thread_id, i.mentions::uuid[], i.mention_all,
        i.forwarded_from::jsonb, i.silent, i.counts, clock_timestamp()
      FROM h${isAsked(drafts) ? sql`` : sql`, admitted`}${isPaced(drafts) ? sql`, paced` : sql``}, unnest(${drafts.map((_, i) => i + 1)}::int[], ${plan.ord}::int[], ${drafts.map((d) => d.id)}::uuid[],
        ${drafts.map((d) => d.kind)}::text[], ${drafts.map((d) => d.senderId)}::uuid[], ${drafts.map((d) => d.clientId)}::uuid[],
        ${drafts.map((d) => d.payloadHash)}::text[], ${drafts.map((d) => d.body)}::text[], ${drafts.map((d) => json(d.meta))}::text[],
        ${drafts.map((d) => d.replyToSeq)}::bigint[], ${drafts.map((d) => d.threadId)}::uuid[],
        ${drafts.map((d) => `{${d.mentions.join(',')}}`)}::text[], ${drafts.map((d) => d.mentionAll)}::boolean[],
        ${drafts.map((d) => json(d.forwardedFrom))}::text[], ${drafts.map((d) => d.silent)}::boolean[],
        ${drafts.map(countsAsUnread)}::boolean[])
        AS i (n, o, id, kind, sender_id, client_id, payload_hash, body, meta, reply_to_seq, thread_id, mentions, mention_all,
              forwarded_from, silent, counts)
      RETURNING conversation_id, seq, rev, ord, id, created_at
    )${attachmentPart(conversationId, drafts)}${mentionPart(conversationId, drafts)}${threadPart(conversationId, plan.threads, drafts)}
    SELECT ins.seq, ins.rev, ins.ord, ins.created_at AS "createdAt", ${threadsColumn(plan.threads)} AS threads,
      outbox_append('message.created', ins.conversation_id,
        jsonb_build_object('id', ins.id, 'conversationId', ins.conversation_id, 'seq', ins.seq, 'rev', ins.rev)${tracePart(drafts)})
    FROM ins ORDER BY ins.seq`);
  return { rows: stored.map((numbers, i) => toRow(draftAt(drafts, i), numbers)), threads: stored[0]?.threads ?? [] };
}

export const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

function draftAt(drafts: readonly Draft[], i: number): Draft {
  const draft = drafts[i];
  if (!draft) throw new Error('more rows than drafts');
  return draft;
}

/** To the payload of each event the trace in which its message was sent; nothing where none is recorded. */
export function tracePart(drafts: readonly Draft[]) {
  const traced = drafts.filter(({ traceparent }) => traceparent !== undefined);
  if (traced.length === 0) return sql``;
  const byId = Object.fromEntries(traced.map(({ id, traceparent }) => [id, { traceparent }]));
  return sql` || coalesce(${JSON.stringify(byId)}::jsonb -> ins.id::text, '{}')`;
}

const isAsked = (drafts: readonly Draft[]): boolean => !drafts.some(({ unasked }) => unasked);

/** Reads from `h`, so that it is asked under the head's lock; the insert reads from it, so that it is asked at all. */
function admitPart(conversationId: string, drafts: readonly Draft[]) {
  if (isAsked(drafts)) return sql``;
  const senders = drafts.filter(({ unasked }) => unasked).map(({ senderId }) => senderId);
  return sql`, admitted AS MATERIALIZED (SELECT conversation_admit(${conversationId}, ${senders}::uuid[]) AS yes FROM h)`;
}

const isPaced = (drafts: readonly Draft[]): boolean => drafts.some(({ pauseMs }) => pauseMs > 0);

/** As with `admitted`. */
function pacePart(conversationId: string, drafts: readonly Draft[]) {
  const pausing = drafts.filter(({ pauseMs }) => pauseMs > 0);
  if (pausing.length === 0) return sql``;
  return sql`, paced AS MATERIALIZED (
      SELECT message_pace(${conversationId}, ${pausing.map((d) => d.senderId)}::uuid[], ${pausing.map((d) => d.pauseMs)}::bigint[])
      FROM h)`;
}

function attachmentPart(conversationId: string, drafts: readonly Draft[]) {
  const files = drafts.flatMap((draft, i) =>
    draft.attachmentIds.map((mediaId, position) => ({ n: i + 1, position, mediaId })),
  );
  if (files.length === 0) return sql``;
  const bound = drafts.filter((draft) => draft.attachmentIds.length > 0);
  // The insert refers to `bound`, since PostgreSQL skips a WITH part that nothing reads.
  return sql`, bound AS MATERIALIZED (
      SELECT sum(media_bind(b.owner, b.ids::uuid[])) AS files
      FROM h, unnest(${bound.map((d) => (d.ownsAttachments ? d.senderId : null))}::uuid[],
                     ${bound.map((d) => `{${d.attachmentIds.join(',')}}`)}::text[]) AS b (owner, ids)
    ), files AS (
      INSERT INTO message_attachments (conversation_id, seq, position, media_id)
      SELECT ${conversationId}::uuid, h.seq + f.n, f.position, f.media_id
      FROM h, bound, unnest(${files.map((f) => f.n)}::int[], ${files.map((f) => f.position)}::int[],
        ${files.map((f) => f.mediaId)}::uuid[]) AS f (n, position, media_id)
      WHERE bound.files IS NOT NULL)`;
}

function mentionPart(conversationId: string, drafts: readonly Draft[]) {
  const mentions = drafts.flatMap((draft, i) => draft.mentions.map((userId) => ({ n: i + 1, userId })));
  if (mentions.length === 0) return sql``;
  return sql`, mentioned AS (
      INSERT INTO message_mentions (user_id, conversation_id, seq)
      SELECT m.user_id, ${conversationId}::uuid, h.seq + m.n
      FROM h, unnest(${mentions.map((m) => m.userId)}::uuid[], ${mentions.map((m) => m.n)}::int[]) AS m (user_id, n))`;
}

/** A reply follows the thread for its sender, unless they had unfollowed it, and is read by them. */
function threadPart(
  conversationId: string,
  threads: readonly { id: string; rev: number; replies: number; lastSeq: number }[],
  drafts: readonly Draft[],
) {
  if (threads.length === 0) return sql``;
  const members = new Map<string, { threadId: string; userId: string; n: number }>();
  drafts.forEach(({ threadId, senderId }, i) => {
    if (threadId !== null) members.set(`${threadId} ${senderId}`, { threadId, userId: senderId, n: i + 1 });
  });
  const replying = [...members.values()];
  return sql`, thr AS (
      UPDATE threads t SET reply_count = t.reply_count + r.replies, last_reply_seq = h.seq + r.n, last_reply_at = clock_timestamp(),
        rev = h.rev + r.rev
      FROM h, unnest(${threads.map((t) => t.id)}::uuid[], ${threads.map((t) => t.replies)}::int[],
        ${threads.map((t) => t.lastSeq)}::int[], ${threads.map((t) => t.rev)}::int[]) AS r (id, replies, n, rev)
      WHERE t.id = r.id AND t.conversation_id = ${conversationId} RETURNING t.*
    ), following AS (
      INSERT INTO thread_members AS m (thread_id, user_id, read_seq)
      SELECT r.thread_id, r.user_id, h.seq + r.n
      FROM h, unnest(${replying.map((r) => r.threadId)}::uuid[], ${replying.map((r) => r.userId)}::uuid[],
        ${replying.map((r) => r.n)}::int[]) AS r (thread_id, user_id, n)
      ON CONFLICT (thread_id, user_id) DO UPDATE SET read_seq = GREATEST(m.read_seq, EXCLUDED.read_seq))`;
}

const threadsColumn = (threads: readonly unknown[]) =>
  threads.length === 0 ? sql`NULL` : sql`(SELECT json_agg(${threadJson} ORDER BY t.rev) FROM thr t)`;

/** What was stored, without reading it back. */
export const toRow = (draft: Draft, { seq, rev, ord, createdAt }: Numbers): MessageRow => ({
  id: draft.id,
  conversationId: draft.conversationId,
  seq,
  rev,
  ord,
  kind: draft.kind,
  senderId: draft.senderId,
  clientId: draft.clientId,
  payloadHash: draft.payloadHash,
  body: draft.body,
  meta: draft.meta,
  replyToSeq: draft.replyToSeq,
  threadId: draft.threadId,
  mentions: draft.mentions,
  mentionAll: draft.mentionAll,
  forwardedFrom: draft.forwardedFrom,
  silent: draft.silent,
  counts: countsAsUnread(draft),
  pinnedAt: null,
  pinnedBy: null,
  createdAt,
  editedAt: null,
  deletedAt: null,
  deletedBy: null,
});
