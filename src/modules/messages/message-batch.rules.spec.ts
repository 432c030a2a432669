import { type Draft, planBatch } from './message-batch.rules.js';

const draft = (senderId: string, fields: Partial<Draft> = {}) =>
  ({ senderId, silent: false, threadId: null, markRead: true, ...fields }) as Draft;

describe('planBatch', () => {
  it('numbers messages from 1 and counts those that are news', () => {
    const plan = planBatch([draft('a'), draft('b', { silent: true }), draft('a', { threadId: 't' }), draft('c')]);
    expect(plan).toMatchObject({ seqs: 4, ords: 2, revs: 5, ord: [1, 1, 1, 2] });
  });

  it('moves each sender to their own message', () => {
    expect(planBatch([draft('a'), draft('b')]).marks).toEqual([
      { actor: 'a', seq: 1, ord: 1, force: true },
      { actor: 'b', seq: 2, ord: 2, force: true },
    ]);
  });

  it('moves nobody over a message of somebody else that they did not ask to read', () => {
    const [first, , third, fourth] = planBatch([
      draft('a', { markRead: false }),
      draft('b'),
      draft('a', { markRead: false }),
      draft('b', { markRead: false }),
    ]).marks;
    expect(first).toEqual({ actor: 'a', seq: 1, ord: 1, force: false });
    expect(third).toEqual({ actor: 'a', seq: 0, ord: 0, force: false });
    expect(fourth).toEqual({ actor: 'b', seq: 0, ord: 0, force: false });
  });

  it('lets silent messages of others and own ones stand in nobody’s way', () => {
    const plan = planBatch([
      draft('b', { silent: true }),
      draft('a', { markRead: false }),
      draft('a', { markRead: false }),
    ]);
    expect(plan.marks.map(({ seq, ord }) => [seq, ord])).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
    ]);
  });

  it('gives each thread one rev, after those of the messages', () => {
    const plan = planBatch([
      draft('a', { threadId: 't' }),
      draft('b'),
      draft('b', { threadId: 'u' }),
      draft('b', { threadId: 't' }),
    ]);
    expect(plan.revs).toBe(6);
    expect(plan.threads).toEqual([
      { id: 't', rev: 5, replies: 2, lastSeq: 4 },
      { id: 'u', rev: 6, replies: 1, lastSeq: 3 },
    ]);
  });
});
