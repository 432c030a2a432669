import type { Entry, Final, Live, Me, Page, Row, Tables } from './history.js';

export const C = 'conversation';
export const ANN = { user: 'ann', device: 'ann-1' };
export const BEN = { user: 'ben', device: 'ben-1' };
export const EVE = { user: 'eve', device: 'eve-1' };

type Who = typeof ANN;
type Sent = { t: number; end: number; id: number; clientId: string; body: string; seq: number; rev: number };

export const send = (who: Who, { t, end, id, clientId, body, seq, rev }: Sent): Entry[] => [
  { k: 'invoke', ...who, t, id, op: 'send', c: C, clientId, body },
  { k: 'ok', ...who, t: end, id, seq, rev, messageId: `id-${seq}`, deduplicated: false },
];

export const message = (seq: number, rev: number, who: Who, body: string | null): Row => ({
  t: 'message',
  key: `message:${seq}`,
  rev,
  seq,
  id: `id-${seq}`,
  sender: who.user,
  clientId: `client-${seq}`,
  body,
  deleted: body === null,
});

export const member = (who: Who, rev: number, state = 'active'): Row => ({
  t: 'member',
  key: `member:${who.user}`,
  rev,
  user: who.user,
  state,
});

export const live = (who: Who, t: number, from: number, row: Row, socket = 1): Live => ({
  k: 'live',
  ...who,
  t,
  socket,
  c: C,
  from,
  row,
});

export const me = (own: Partial<Me>): Me => ({
  visibleFromSeq: 1,
  readSeq: 0,
  deliveredSeq: 0,
  unread: 0,
  unreadCapped: false,
  ...own,
});

export const page = (who: Who, t: number, more: Partial<Page>): Page => ({
  k: 'page',
  ...who,
  asked: t - 1,
  t,
  epoch: 'epoch',
  c: C,
  after: 0,
  upTo: 0,
  more: false,
  head: { seq: 0, rev: 0 },
  me: me({}),
  rows: [],
  ...more,
});

/**
 * Ann and Ben talk in their conversation and nothing goes wrong. Revs: 1 the conversation, 2 Ann, 3 Ben, 4 Ann's message,
 * 5 Ben's, 6 Ann's edit of hers. Eve joins at 7 without history and leaves at 8; Ben sends again at 9, reading nothing.
 */
export function sampleHistory(): Entry[] {
  const first = message(1, 4, ANN, 'hello');
  const second = message(2, 5, BEN, 'hi');
  const edited = message(1, 6, ANN, 'hello Ben');
  const third = message(3, 9, BEN, 'still there?');
  const final = (who: Who, own: Me): Final => ({
    k: 'final',
    ...who,
    t: 200,
    c: C,
    me: own,
    rows: [edited, second, third],
    cache: [
      ['message:1', 6],
      ['message:2', 5],
      ['message:3', 9],
      ['member:ann', 2],
    ],
  });
  const tables: Tables = {
    k: 'tables',
    t: 210,
    c: C,
    head: { seq: 3, rev: 9, ord: 3, lastDeleteSeq: 0 },
    messages: [edited, second, third].map(({ seq = 0, rev, id = '', sender = null, clientId = null }) => ({
      seq,
      rev,
      id,
      sender,
      clientId,
      counts: true,
      deleted: false,
    })),
    members: [
      { user: 'ann', rev: 2, state: 'active', visibleFromSeq: 1, readSeq: 2, deliveredSeq: 2 },
      { user: 'ben', rev: 3, state: 'active', visibleFromSeq: 1, readSeq: 3, deliveredSeq: 3 },
      { user: 'eve', rev: 8, state: 'removed', visibleFromSeq: 3, readSeq: 2, deliveredSeq: 2 },
    ],
    others: [{ key: 'conversation', rev: 1 }],
  };
  return [
    { k: 'socket', ...ANN, t: 1, socket: 1, epoch: 'epoch' },
    { k: 'socket', ...BEN, t: 1, socket: 1, epoch: 'epoch' },
    page(ANN, 3, {
      after: null,
      upTo: 3,
      head: { seq: 0, rev: 3 },
      rows: [{ t: 'conversation', key: 'conversation', rev: 1 }, member(ANN, 2), member(BEN, 3)],
    }),
    ...send(ANN, { t: 10, end: 20, id: 1, clientId: 'client-1', body: 'hello', seq: 1, rev: 4 }),
    live(ANN, 19, 3, first),
    live(BEN, 21, 3, first),
    ...send(BEN, { t: 30, end: 40, id: 2, clientId: 'client-2', body: 'hi', seq: 2, rev: 5 }),
    live(ANN, 41, 4, second),
    live(BEN, 42, 4, second),
    { k: 'invoke', ...ANN, t: 45, id: 3, op: 'receipt', c: C, seq: 2 },
    { k: 'ok', ...ANN, t: 47, id: 3, me: me({ readSeq: 2, deliveredSeq: 2 }) },
    { k: 'invoke', ...ANN, t: 50, id: 4, op: 'edit', c: C, seq: 1, body: 'hello Ben' },
    { k: 'ok', ...ANN, t: 60, id: 4, seq: 1, rev: 6, messageId: 'id-1' },
    live(ANN, 61, 5, edited),
    live(BEN, 62, 5, edited),
    page(BEN, 72, {
      after: 3,
      upTo: 6,
      head: { seq: 2, rev: 6 },
      me: me({ readSeq: 2, deliveredSeq: 2 }),
      rows: [second, edited],
    }),
    live(EVE, 80, 6, member(EVE, 7)),
    live(ANN, 80, 6, member(EVE, 7)),
    page(EVE, 83, {
      after: null,
      upTo: 7,
      head: { seq: 2, rev: 7 },
      me: me({ visibleFromSeq: 3, readSeq: 2, deliveredSeq: 2 }),
      rows: [member(EVE, 7)],
    }),
    live(EVE, 85, 7, member(EVE, 8, 'removed')),
    live(ANN, 85, 7, member(EVE, 8, 'removed')),
    ...send(BEN, { t: 90, end: 95, id: 5, clientId: 'client-3', body: 'still there?', seq: 3, rev: 9 }),
    live(ANN, 96, 8, third),
    page(ANN, 102, {
      after: 6,
      upTo: 9,
      head: { seq: 3, rev: 9 },
      me: me({ readSeq: 2, deliveredSeq: 2, unread: 1 }),
      rows: [member(EVE, 8, 'removed'), third],
    }),
    { k: 'converged', ...ANN, t: 150, ms: 900 },
    { k: 'converged', ...BEN, t: 150, ms: 4000 },
    final(ANN, me({ readSeq: 2, deliveredSeq: 2, unread: 1 })),
    final(BEN, me({ readSeq: 3, deliveredSeq: 3 })),
    tables,
  ];
}
