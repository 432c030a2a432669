import { groupBy, type Invariant } from './evidence.js';

/** I6: all devices see the same seq order; none is shown a change before an earlier one. */
export const agreement: Invariant = function* (evidence) {
  const ids = new Map<string, string>();
  const told = new Set<string>();
  for (const { device, c, row } of evidence.shown()) {
    if (row.t !== 'message') continue;
    const place = `seq ${row.seq} of ${c}`;
    const id = ids.get(place);
    if (id === undefined) ids.set(place, row.id ?? '');
    else if (id !== row.id && !told.has(place)) {
      told.add(place);
      yield `${place} is ${id} for one and ${row.id} for ${device}`;
    }
  }
  for (const [place, events] of groupBy(
    evidence.live,
    ({ device, socket, c }) => `socket ${socket} of ${device} in ${c}`,
  )) {
    let last = 0;
    for (const { row } of events) {
      if (row.rev <= last) yield `${place} was told rev ${row.rev} after ${last}`;
      last = Math.max(last, row.rev);
    }
  }
  for (const { device, c, upTo, rows } of evidence.pages) {
    if (rows.some(({ rev }, i) => rev < (rows[i - 1]?.rev ?? 0)))
      yield `a page of ${c} up to ${upTo} for ${device} is not by rev`;
  }
};

/** When each clientId was first tried and first acked, by the clock all clients share. */
function* intervals({ ackedSends, attempts }: Parameters<Invariant>[0]) {
  const first = new Map<string, number>();
  for (const { invoke } of attempts) {
    const key = `${invoke.c} ${invoke.clientId}`;
    if (invoke.op === 'send' && !first.has(key)) first.set(key, invoke.t);
  }
  const acked = new Set<string>();
  for (const { invoke, ok } of ackedSends.toSorted((a, b) => a.ok.t - b.ok.t)) {
    const key = `${invoke.c} ${invoke.clientId}`;
    if (acked.has(key)) continue;
    acked.add(key);
    const { c, device, clientId } = invoke;
    yield { c, device, clientId, begin: first.get(key) ?? invoke.t, end: ok.t, seq: ok.seq ?? 0 };
  }
}

/** Among sends of one group: acked before the other begins means a lower seq. */
function* realTime(evidence: Parameters<Invariant>[0], group: (send: { c: string; device: string }) => string) {
  for (const [name, sends] of groupBy(intervals(evidence), group)) {
    const byEnd = sends.toSorted((a, b) => a.end - b.end);
    let done = 0;
    let highest: (typeof sends)[number] | undefined;
    for (const send of sends.toSorted((a, b) => a.begin - b.begin)) {
      for (let next = byEnd[done]; next && next.end < send.begin; next = byEnd[(done += 1)]) {
        if (!highest || next.seq > highest.seq) highest = next;
      }
      if (highest && highest.seq >= send.seq) {
        yield `in ${name} ${highest.clientId} was acked as seq ${highest.seq} before ${send.clientId} began, which got ${send.seq}`;
      }
    }
  }
}

/** I7: of two sends of one device, the second issued after the first's ack, seq increases. */
export const sessionOrder: Invariant = (evidence) => realTime(evidence, ({ c, device }) => `${c} for ${device}`);

/** I8: A acked before B is invoked in the same conversation gives seq(A) < seq(B). */
export const realTimeOrder: Invariant = (evidence) => realTime(evidence, ({ c }) => c);
