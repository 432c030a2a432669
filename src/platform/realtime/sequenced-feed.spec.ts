import fc from 'fast-check';
import { type FeedPorts, SequencedFeed } from './sequenced-feed.js';

interface Change {
  rev: number;
  row: number;
}
interface Told {
  from: number;
  rev: number;
  row: number | undefined;
}
interface Feed {
  apply(changes: readonly Change[]): void;
  advance(rev: number): void;
}
type MakeFeed = (position: number, ports: FeedPorts<Change>) => Feed;

/** A table with a compacted feed: each row carries only its last rev. */
class Table {
  head = 0;
  readonly rows = new Map<number, number>();
  /** Every commit, in order of rev. */
  readonly log: Change[] = [];

  commit(row: number): void {
    this.head += 1;
    this.rows.set(row, this.head);
    this.log.push({ rev: this.head, row });
  }

  between(after: number, upTo: number): Change[] {
    return [...this.rows]
      .map(([row, rev]) => ({ rev, row }))
      .filter(({ rev }) => rev > after && rev <= upTo)
      .toSorted((a, b) => a.rev - b.rev);
  }
}

type Step =
  | { do: 'commit'; row: number }
  | { do: 'announce'; back: number; count: number }
  | { do: 'hint'; back: number }
  | { do: 'lie'; ahead: number }
  | { do: 'fail' }
  | { do: 'wait' };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('commit' as const), row: fc.nat(5) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('announce' as const),
        back: fc.nat(6),
        count: fc.integer({ min: 1, max: 4 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('hint' as const), back: fc.nat(4) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('lie' as const), ahead: fc.integer({ min: 1, max: 50 }) }) },
    { weight: 1, arbitrary: fc.constant({ do: 'fail' as const }) },
    { weight: 4, arbitrary: fc.constant({ do: 'wait' as const }) },
  ),
  { maxLength: 60 },
);

const PAGE = 3;

/** Runs the steps with every read and every preparation finishing whenever the scheduler says; then repairs once. */
async function run(
  make: MakeFeed,
  sequence: readonly Step[],
  scheduler: fc.Scheduler,
  torn = false,
): Promise<{ table: Table; told: Told[] }> {
  const table = new Table();
  const told: Told[] = [];
  let failing = false;
  const pause = (): Promise<unknown> => scheduler.schedule(Promise.resolve());
  const feed = make(0, {
    read: async (after) => {
      let { head } = table;
      await pause();
      if (failing) {
        failing = false;
        throw new Error('no database');
      }
      const rows = table.between(after, torn ? Infinity : head);
      await pause();
      if (torn) ({ head } = table);
      const changes = rows.slice(0, PAGE);
      const more = rows.length > PAGE;
      return { changes, upTo: more ? (changes.at(-1)?.rev ?? after) : Math.max(after, head), more };
    },
    prepare: (changes) => (changes.some(({ row }) => row === 0) ? pause().then(() => undefined) : undefined),
    emit: ({ rev, row }, from) => told.push({ from, rev, row }),
    skip: (rev, from) => told.push({ from, rev, row: undefined }),
    failed: () => undefined,
  });
  for (const step of sequence) {
    if (step.do === 'commit') table.commit(step.row);
    if (step.do === 'announce') {
      const begin = Math.max(0, table.head - step.back);
      feed.apply(table.log.slice(begin, begin + step.count));
    }
    if (step.do === 'hint') feed.advance(Math.max(0, table.head - step.back));
    if (step.do === 'lie') feed.advance(table.head + step.ahead);
    if (step.do === 'fail') failing = true;
    if (step.do === 'wait' && scheduler.count() > 0) await scheduler.waitOne();
    await Promise.resolve();
  }
  failing = false;
  await scheduler.waitIdle();
  feed.advance(table.head);
  await scheduler.waitIdle();
  return { table, told };
}

/** What a client would notice; undefined when all is well. */
function fault({ table, told }: { table: Table; told: Told[] }): string | undefined {
  let position = 0;
  for (const { from, rev, row } of told) {
    if (from !== position) return `range (${from}, ${rev}] does not join ${position}`;
    if (rev <= from) return `range (${from}, ${rev}] does not go forward`;
    if (row !== undefined && table.log[rev - 1]?.row !== row) return `row ${row} was not changed by rev ${rev}`;
    position = rev;
  }
  if (position !== table.head) return `ends at ${position}, the head is ${table.head}`;
  for (const [row, rev] of table.rows)
    if (!told.some((one) => one.row === row && one.rev === rev)) return `row ${row} was not told at rev ${rev}`;
  return undefined;
}

const property = (make: MakeFeed, torn = false) =>
  fc.asyncProperty(steps, fc.scheduler(), async (sequence, scheduler) => {
    const noticed = fault(await run(make, sequence, scheduler, torn));
    if (noticed) throw new Error(noticed);
  });

const correct: MakeFeed = (position, ports) => new SequencedFeed(position, ports);

describe('SequencedFeed', () => {
  it('tells joined ranges up to the head, whatever order announcements, hints, reads and failures come in', async () => {
    await fc.assert(property(correct), { numRuns: 2000 });
  });

  it('does not read while changes come in order', () => {
    const told: number[] = [];
    const feed = new SequencedFeed<Change>(4, {
      read: () => Promise.reject(new Error('read')),
      prepare: () => undefined,
      emit: ({ rev }, from) => told.push(from, rev),
      skip: () => undefined,
      failed: (error) => {
        throw error;
      },
    });
    feed.apply([
      { rev: 5, row: 1 },
      { rev: 6, row: 2 },
    ]);
    feed.apply([{ rev: 7, row: 1 }]);
    feed.advance(7);
    expect(told).toEqual([4, 5, 5, 6, 6, 7]);
  });

  it('is silent once closed, even while it reads', async () => {
    const told: Told[] = [];
    let answer: (rows: { changes: Change[]; upTo: number; more: boolean }) => void = () => undefined;
    const feed = new SequencedFeed<Change>(0, {
      read: () => new Promise((resolve) => (answer = resolve)),
      prepare: () => undefined,
      emit: ({ rev, row }, from) => told.push({ from, rev, row }),
      skip: (rev, from) => told.push({ from, rev, row: undefined }),
      failed: () => undefined,
    });
    const reached = feed.reach(2);
    feed.close();
    answer({ changes: [{ rev: 2, row: 1 }], upTo: 2, more: false });
    await reached;
    expect(told).toEqual([]);
  });

  describe('the property catches', () => {
    const planted: Record<string, [MakeFeed, torn?: boolean]> = {
      'a feed that tells what it gets and never reads': [
        (position, ports) => {
          let at = position;
          return {
            apply: (changes) =>
              changes.forEach((change) => {
                if (change.rev <= at) return;
                ports.emit(change, at);
                at = change.rev;
              }),
            advance: () => undefined,
          };
        },
      ],
      'a feed that does not drop what is older': [
        (position, ports) => {
          const feed = new SequencedFeed(position, ports);
          return {
            apply: (changes) => changes.forEach((change) => ports.emit(change, change.rev - 1)),
            advance: (rev) => feed.advance(rev),
          };
        },
      ],
      'a feed that keeps silent about revs without a row': [
        (position, ports) => new SequencedFeed(position, { ...ports, skip: () => undefined }),
      ],
      'a feed that forgets where its last range ended': [
        (position, ports) =>
          new SequencedFeed(position, { ...ports, emit: (change) => ports.emit(change, change.rev - 1) }),
      ],
      'a reader that takes the head after the rows': [correct, true],
    };
    it.each(Object.entries(planted))('%s', async (_, [make, torn]) => {
      expect((await fc.check(property(make, torn), { numRuns: 5000 })).failed).toBe(true);
    });
  });
});
