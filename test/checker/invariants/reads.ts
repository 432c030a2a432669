import type { Me, Page } from '../history.js';
import { type Evidence, groupBy, type Invariant } from './evidence.js';

/** Reads of one reader in the order of their answers; each with what every read answered before it began had reached. */
function* falls<Read extends { asked: number; t: number }>(reads: readonly Read[], value: (read: Read) => number) {
  const answered = reads.toSorted((a, b) => a.t - b.t);
  let done = 0;
  let highest = -Infinity;
  for (const read of reads.toSorted((a, b) => a.asked - b.asked)) {
    for (let next = answered[done]; next && next.t < read.asked; next = answered[(done += 1)]) {
      highest = Math.max(highest, value(next));
    }
    if (value(read) < highest) yield { read, highest };
  }
}

/** I9: heads seen by a device never fall within one epoch. What it was told live counts as seen. */
export const monotonicReads: Invariant = function* ({ pages, live, sockets }) {
  const epochs = new Map(sockets.map(({ device, socket, epoch }) => [`${device} ${socket}`, epoch]));
  const told = live
    .filter(({ c }) => c !== 'user')
    .map(({ device, socket, c, t, row }) => ({
      device,
      c,
      t,
      asked: t,
      head: { seq: 0, rev: row.rev },
      epoch: epochs.get(`${device} ${socket}`) ?? '',
    }));
  for (const kind of ['seq', 'rev'] as const) {
    // Live changes may arrive late, so they only raise what a later read has to show.
    const reads = kind === 'rev' ? [...pages, ...told] : pages;
    for (const group of groupBy(reads, ({ device, c, epoch }) => `${device} ${c} ${epoch}`).values()) {
      for (const { read, highest } of falls(group, ({ head }) => head[kind])) {
        if ('rows' in read)
          yield `${read.device} had seen ${kind} ${highest} of ${read.c}, and then a head of ${read.head[kind]}`;
      }
    }
  }
};

interface OwnSide {
  user: string;
  c: string;
  asked: number;
  t: number;
  me: Me;
}

/** Every answer that shows a member's own side, over all of their devices. */
function ownSides({ pages, attempts }: Evidence): OwnSide[] {
  const receipts = attempts.flatMap(({ invoke, outcome }): OwnSide[] =>
    outcome?.k === 'ok' && outcome.me
      ? [{ user: invoke.user, c: invoke.c, asked: invoke.t, t: outcome.t, me: outcome.me }]
      : [],
  );
  return [...pages, ...receipts];
}

/** I10: watermarks never fall; 0 <= read <= delivered <= head.seq. */
export const watermarks: Invariant = function* (evidence) {
  for (const [reader, sides] of groupBy(ownSides(evidence), ({ user, c }) => `${user} in ${c}`)) {
    for (const mark of ['readSeq', 'deliveredSeq'] as const) {
      for (const { read, highest } of falls(sides, ({ me }) => me[mark]))
        yield `${mark} of ${reader} fell from ${highest} to ${read.me[mark]}`;
    }
  }
  for (const { c, device, me, head } of evidence.pages) {
    if (!inOrder(me, head.seq))
      yield `${device} was told ${me.readSeq} read, ${me.deliveredSeq} delivered of ${head.seq} in ${c}`;
  }
  for (const { c, head, members } of evidence.tables.values()) {
    for (const member of members) {
      if (!inOrder(member, head.seq))
        yield `${member.user} has ${member.readSeq} read, ${member.deliveredSeq} delivered of ${head.seq} in ${c}`;
    }
  }
};

const inOrder = ({ readSeq, deliveredSeq }: { readSeq: number; deliveredSeq: number }, head: number): boolean =>
  0 <= readSeq && readSeq <= deliveredSeq && deliveredSeq <= head;

const CAP = 100;

/** I11: the reported unread equals a recount of the rows at that rev, up to the cap. */
export const unread: Invariant = function* ({ pages, finals, tables }) {
  const atTheEnd = finals.flatMap((final) => {
    const head = tables.get(final.c)?.head;
    return head ? [{ ...final, head }] : [];
  });
  for (const { c, device, me, head } of [...pages, ...atTheEnd] satisfies Pick<
    Page,
    'c' | 'device' | 'me' | 'head'
  >[]) {
    const messages = tables.get(c)?.messages;
    if (!messages) continue;
    // Nothing happens to a message after its deletion, so the rev of a tombstone is the rev at which it was deleted.
    const counted = messages.filter(
      ({ seq, rev, counts, deleted }) => counts && seq > me.readSeq && seq <= head.seq && !(deleted && rev <= head.rev),
    ).length;
    const expected = me.unreadCapped ? Math.min(counted, CAP) : counted;
    if (me.unread !== expected || (me.unreadCapped && counted <= CAP)) {
      yield `${device} was told ${me.unread} unread in ${c} at rev ${head.rev}, read up to ${me.readSeq}: there were ${counted}`;
    }
  }
};
