import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import { type Appended, json, toRow, tracePart } from './message-append.repository.js';
import { type Draft, planJoint } from './message-batch.rules.js';

interface Head {
  conversationId: string;
  seq: number;
  ord: number;
  rev: number;
  at: Date;
}

/** Drafts of one conversation each, in their order; each conversation once. */
export type Parts = readonly (readonly Draft[])[];

/**
 * Stores plain messages of many conversations in one statement that waits for nobody. In the order of the parts: what was
 * stored; undefined for a conversation that is busy elsewhere or where a sender may not just write, which is left as it was.
 *
 * Raises 23505 when a clientId is stored already; that ends the statement for all.
 */
export async function appendJointly(db: Db, parts: Parts): Promise<(Appended | undefined)[]> {
  const plans = parts.map((drafts) => ({ id: drafts[0]?.conversationId, drafts, ...planJoint(drafts) }));
  const marks = plans.flatMap((plan) =>
    plan.marks.map((mark) => ({ of: plan.id, senders: plan.marks.length, ...mark })),
  );
  const all = parts.flat();
  const heads = await db.query<Head>(sql`
    WITH h AS MATERIALIZED (
      SELECT conversation_id, seq, ord, rev, clock_timestamp()::timestamptz(3) AS at FROM conversation_advance_free(
        ${plans.map(({ id }) => id)}::uuid[], ${plans.map(({ seqs }) => seqs)}::int[], ${plans.map(({ ords }) => ords)}::int[],
        ${plans.map(({ revs }) => revs)}::int[], ${marks.map(({ senders }) => senders)}::int[],
        ${marks.map(({ of }) => of)}::uuid[], ${marks.map(({ actor }) => actor)}::uuid[],
        ${marks.map(({ seq }) => seq)}::bigint[], ${marks.map(({ ord }) => ord)}::bigint[])
    ), ins AS (
      INSERT INTO messages (conversation_id, seq, rev, ord, id, kind, sender_id, client_id, payload_hash, body, meta, silent, counts,
        created_at)
      SELECT h.conversation_id, h.seq + i.n, h.rev + i.n, h.ord + i.o, i.id, i.kind::message_kind, i.sender_id, i.client_id,
        i.payload_hash, i.body, i.meta::jsonb, i.silent, NOT i.silent, h.at
      FROM h JOIN unnest(${all.map((d) => d.conversationId)}::uuid[], ${parts.flatMap((drafts) => drafts.map((_, i) => i + 1))}::int[],
        ${plans.flatMap(({ ord }) => ord)}::int[], ${all.map((d) => d.id)}::uuid[], ${all.map((d) => d.kind)}::text[],
        ${all.map((d) => d.senderId)}::uuid[], ${all.map((d) => d.clientId)}::uuid[], ${all.map((d) => d.payloadHash)}::text[],
        ${all.map((d) => d.body)}::text[], ${all.map((d) => json(d.meta))}::text[], ${all.map((d) => d.silent)}::boolean[])
        AS i (conversation_id, n, o, id, kind, sender_id, client_id, payload_hash, body, meta, silent)
        ON i.conversation_id = h.conversation_id
      RETURNING conversation_id, seq, rev, id
    )
    SELECT conversation_id AS "conversationId", seq, ord, rev, at, (
      SELECT outbox_append_each('message.created', array_agg(ins.conversation_id), array_agg(
        jsonb_build_object('id', ins.id, 'conversationId', ins.conversation_id, 'seq', ins.seq, 'rev', ins.rev)${tracePart(all)}))
      FROM ins) AS told
    FROM h`);
  const byId = new Map(heads.map((head) => [head.conversationId, head]));
  return plans.map(({ id, drafts, ord }) => {
    const head = byId.get(id ?? '');
    return head && { rows: drafts.map((draft, i) => toRow(draft, numbers(head, i + 1, ord[i] ?? 0))), threads: [] };
  });
}

const numbers = ({ seq, rev, ord, at }: Head, n: number, o: number) => ({
  seq: seq + n,
  rev: rev + n,
  ord: ord + o,
  createdAt: at,
});
