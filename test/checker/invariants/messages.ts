import { groupBy, type Invariant } from './evidence.js';

/** I1: every acked send is in the final read of each member who could see it, exactly once. */
export const durability: Invariant = function* ({ ackedSends, finals, tables }) {
  const sends = groupBy(ackedSends, ({ invoke }) => invoke.c);
  for (const [c, acked] of sends) {
    const stored = new Set(tables.get(c)?.messages.map(({ seq, id }) => `${seq} ${id}`));
    for (const { invoke, ok } of acked) {
      if (!stored.has(`${ok.seq} ${ok.messageId}`))
        yield `${invoke.clientId} was acked as seq ${ok.seq} of ${c} and is not stored`;
    }
  }
  for (const { c, device, rows, me } of finals) {
    const seen = groupBy(rows, ({ seq, id }) => `${seq} ${id}`);
    for (const { invoke, ok } of sends.get(c) ?? []) {
      if ((ok.seq ?? 0) < me.visibleFromSeq) continue;
      const times = seen.get(`${ok.seq} ${ok.messageId}`)?.length ?? 0;
      if (times !== 1)
        yield `${invoke.clientId}, acked as seq ${ok.seq} of ${c}, is ${times} times in the final read of ${device}`;
    }
  }
};

/** I2: every delivered message was sent; its content is what was sent or a later edit. */
export const noInvention: Invariant = function* (evidence) {
  const bodies = new Map<string, Set<string>>();
  const note = (key: string, body: string | undefined): void => {
    if (body === undefined) return;
    const known = bodies.get(key) ?? new Set();
    bodies.set(key, known.add(body));
  };
  for (const { invoke } of evidence.attempts) {
    if (invoke.op === 'send') note(`${invoke.c} ${invoke.user} ${invoke.clientId}`, invoke.body);
    if (invoke.op === 'edit') note(`${invoke.c} ${invoke.seq} edit`, invoke.body);
  }
  const told = new Set<string>();
  for (const { device, c, row } of evidence.shown()) {
    // Messages of the server itself come without a clientId, and without a body (see `messageRow`).
    if (row.t !== 'message' || (row.clientId === null && row.body === null)) continue;
    const seen = `${c} ${row.seq} ${row.clientId} ${row.body}`;
    if (told.has(seen)) continue;
    told.add(seen);
    const sent = bodies.get(`${c} ${row.sender} ${row.clientId}`);
    if (!sent)
      yield `${device} was shown seq ${row.seq} of ${c} with clientId ${row.clientId}, which ${row.sender} never sent`;
    else if (
      row.body !== null &&
      row.body !== undefined &&
      !sent.has(row.body) &&
      !bodies.get(`${c} ${row.seq} edit`)?.has(row.body)
    ) {
      yield `${device} was shown seq ${row.seq} of ${c} with a body nobody wrote`;
    }
  }
};

/** I3: one row per (conversation, sender, clientId); all acks for it carry the same id and seq. */
export const idempotency: Invariant = function* (evidence) {
  const acks = evidence.ackedSends.map(({ invoke: { c, user, clientId }, ok }) => ({
    key: `${c} ${user} ${clientId}`,
    row: `${ok.messageId} seq ${ok.seq}`,
  }));
  for (const [key, all] of groupBy(acks, (ack) => ack.key)) {
    const rows = new Set(all.map(({ row }) => row));
    if (rows.size > 1) yield `the acks of ${key} differ: ${[...rows].join(', ')}`;
  }
  for (const { invoke, outcome } of evidence.attempts) {
    if (outcome?.k === 'fail' && outcome.code === 'idempotency_mismatch')
      yield `${invoke.clientId} was refused as another message`;
  }
  const shown = new Map<string, Set<string>>();
  for (const { c, row } of evidence.shown()) {
    if (typeof row.clientId !== 'string') continue;
    const key = `${c} ${row.sender} ${row.clientId}`;
    shown.set(key, (shown.get(key) ?? new Set()).add(`seq ${row.seq}`));
  }
  for (const [key, rows] of shown) if (rows.size > 1) yield `${key} was shown as ${[...rows].join(', ')}`;
  for (const { c, messages } of evidence.tables.values()) {
    const fromClients = messages.filter(({ clientId }) => clientId !== null);
    for (const [key, rows] of groupBy(fromClients, ({ sender, clientId }) => `${sender} ${clientId}`)) {
      if (rows.length > 1) yield `${key} is stored ${rows.length} times in ${c}`;
    }
  }
};
