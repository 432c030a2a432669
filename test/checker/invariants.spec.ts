import type { Entry, Final, Page, Tables } from './history.js';
import { check } from './invariants/check.js';
import { ANN, BEN, C, EVE, live, me, member, message, page, sampleHistory, send } from './sample-history.js';

const LIMITS = { repairMs: 6000 };
const violated = (history: readonly Entry[]): string[] => [
  ...new Set(check(history, LIMITS).map(({ invariant }) => invariant)),
];

type Break = (history: Entry[]) => Entry[];
const finalOf = (history: Entry[], user: string) =>
  history.find((entry): entry is Final => entry.k === 'final' && entry.user === user) as Final;
const tablesOf = (history: Entry[]) => history.find((entry): entry is Tables => entry.k === 'tables') as Tables;
const lastPageOf = (history: Entry[], user: string) =>
  history.findLast((entry): entry is Page => entry.k === 'page' && entry.user === user) as Page;
const change =
  (act: (history: Entry[]) => void): Break =>
  (history) => {
    act(history);
    return history;
  };
const add =
  (...entries: Entry[]): Break =>
  (history) => [...history, ...entries];

/** What is wrong, who has to notice, and how it comes about. Others may notice as well. */
const broken: [invariant: string, what: string, how: Break][] = [
  [
    'I1',
    'an acked send is in no table',
    add(...send(ANN, { t: 110, end: 120, id: 9, clientId: 'client-9', body: 'lost', seq: 4, rev: 10 })),
  ],
  ['I1', 'a member does not find an acked send', change((history) => void finalOf(history, 'ben').rows.splice(0, 1))],
  [
    'I1',
    'a member finds it twice',
    change((history) => void finalOf(history, 'ben').rows.push(message(1, 6, ANN, 'hello Ben'))),
  ],
  [
    'I2',
    'a message that nobody sent',
    add(live(ANN, 120, 9, { ...message(4, 10, BEN, 'boo'), clientId: 'client-99' })),
  ],
  [
    'I2',
    'a body that nobody wrote',
    change((history) => Object.assign(finalOf(history, 'ann').rows[1] ?? {}, { body: 'other words' })),
  ],
  [
    'I3',
    'two acks of one clientId differ',
    add(
      { k: 'invoke', ...ANN, t: 110, id: 9, op: 'send', c: C, clientId: 'client-1', body: 'hello' },
      { k: 'ok', ...ANN, t: 120, id: 9, seq: 4, rev: 10, messageId: 'id-4', deduplicated: false },
    ),
  ],
  [
    'I3',
    'one clientId is stored twice',
    change((history) => {
      for (const row of tablesOf(history).messages) Object.assign(row, { sender: 'ann', clientId: 'client-1' });
    }),
  ],
  [
    'I3',
    'a repeat is refused as another message',
    add(
      { k: 'invoke', ...ANN, t: 110, id: 9, op: 'send', c: C, clientId: 'client-1', body: 'hello' },
      { k: 'fail', ...ANN, t: 120, id: 9, code: 'idempotency_mismatch' },
    ),
  ],
  ['I4', 'a hole in seq', change((history) => void tablesOf(history).messages.splice(1, 1))],
  ['I4', 'a head beyond its messages', change((history) => void (tablesOf(history).head.seq = 4))],
  ['I4', 'two rows with one rev', change((history) => Object.assign(tablesOf(history).members[1] ?? {}, { rev: 2 }))],
  [
    'I4',
    'a gap on a socket',
    (history) => history.filter((entry) => !(entry.k === 'live' && entry.user === 'ann' && entry.row.rev === 5)),
  ],
  ['I4', 'ranges that overlap', add(live(ANN, 120, 8, message(3, 10, BEN, 'still there?')))],
  ['I5', 'a page that lacks a change', change((history) => void lastPageOf(history, 'ben').rows.splice(1, 1))],
  [
    'I5',
    'a page with a state of the past',
    change((history) => void lastPageOf(history, 'ben').rows.splice(1, 1, message(1, 4, ANN, 'hello'))),
  ],
  ['I5', 'a copy that missed an edit', change((history) => void (finalOf(history, 'ben').cache[0] = ['message:1', 4]))],
  ['I6', 'two messages with one seq', add(live(BEN, 120, 9, { ...message(2, 10, BEN, 'hi'), id: 'id-other' }))],
  ['I6', 'a change told after a later one', add(live(ANN, 120, 4, message(2, 5, BEN, 'hi')))],
  ['I6', 'a page out of order', change((history) => void lastPageOf(history, 'ben').rows.reverse())],
  [
    'I7',
    'the second message of a device before its first',
    change((history) => {
      for (const entry of history) if (entry.k === 'ok' && entry.id === 5) entry.seq = 1;
    }),
  ],
  [
    'I8',
    'an answer before what it answers',
    change((history) => {
      for (const entry of history) if (entry.k === 'ok' && (entry.id === 1 || entry.id === 2)) entry.seq = 3 - entry.id;
    }),
  ],
  ['I9', 'a head that falls', add(page(ANN, 120, { after: 9, upTo: 9, head: { seq: 2, rev: 8 } }))],
  [
    'I9',
    'a head below what was told live',
    change((history) => Object.assign(lastPageOf(history, 'ann'), { upTo: 8, head: { seq: 3, rev: 8 } })),
  ],
  [
    'I10',
    'a read position that falls',
    add(page(ANN, 120, { after: 9, upTo: 9, head: { seq: 3, rev: 9 }, me: me({ readSeq: 1, deliveredSeq: 2 }) })),
  ],
  ['I10', 'read beyond delivered', change((history) => Object.assign(lastPageOf(history, 'ann').me, { readSeq: 3 }))],
  [
    'I10',
    'delivered beyond the head',
    change((history) => Object.assign(tablesOf(history).members[0] ?? {}, { deliveredSeq: 4 })),
  ],
  [
    'I11',
    'an unread that is no count of rows',
    change((history) => Object.assign(lastPageOf(history, 'ann').me, { unread: 0 })),
  ],
  [
    'I11',
    'an unread that is wrong at the end',
    change((history) => Object.assign(finalOf(history, 'ben').me, { unread: 2 })),
  ],
  [
    'I11',
    'a deleted message that still counts',
    change((history) => {
      for (const row of tablesOf(history).messages) if (row.seq === 3) row.deleted = true;
    }),
  ],
  ['I12', 'a change for somebody who was removed', add(live(EVE, 97, 8, message(3, 9, BEN, 'still there?')))],
  ['I12', 'a message from before a member could see', add(live(EVE, 82, 5, message(1, 6, ANN, 'hello Ben')))],
  [
    'I12',
    'a page with what its reader may not see',
    change((history) => void lastPageOf(history, 'eve').rows.unshift(message(2, 5, BEN, 'hi'))),
  ],
  [
    'I12',
    'a send after the removal',
    add(...send(EVE, { t: 110, end: 120, id: 9, clientId: 'client-9', body: 'me too', seq: 4, rev: 10 })),
  ],
  ['I13', 'a device that took too long', add({ k: 'converged', ...ANN, t: 190, ms: 6001 })],
  ['I13', 'a device that never came back', add({ k: 'converged', ...ANN, t: 190, ms: null })],
];

describe('a history', () => {
  it('without a fault is accepted', () => {
    expect(check(sampleHistory(), LIMITS)).toEqual([]);
  });

  it.each(broken)('violates %s with %s', (invariant, _what, how) => {
    expect(violated(how(sampleHistory()))).toContain(invariant);
  });

  it('may end a chain where a socket left and where it could not keep up', () => {
    const back = live(EVE, 130, 11, member(EVE, 12));
    const late = [
      { k: 'heads' as const, ...ANN, t: 125, socket: 1, heads: { [C]: 11 } },
      live(ANN, 130, 11, member(EVE, 12)),
    ];
    const [tables] = sampleHistory().filter((entry) => entry.k === 'tables');
    Object.assign(tables?.head ?? {}, { rev: 12 });
    Object.assign(tables?.members[2] ?? {}, { rev: 12, state: 'active' });
    const history = sampleHistory().map((entry) => (entry.k === 'tables' ? (tables ?? entry) : entry));
    expect(violated([...history, back, ...late])).toEqual([]);
  });
});
