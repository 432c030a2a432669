import type { Page } from '../history.js';
import { type Evidence, groupBy, type Invariant } from './evidence.js';

/** I4: seq is 1..head in the tables; live ranges (from, rev] join without gap or overlap on each socket. */
export const density: Invariant = function* (evidence) {
  for (const { c, head, messages, members, others } of evidence.tables.values()) {
    const hole = messages.findIndex(({ seq }, i) => seq !== i + 1);
    if (hole >= 0) yield `${c} has seq ${messages[hole]?.seq} where ${hole + 1} should be`;
    if (messages.length !== head.seq && hole < 0)
      yield `${c} has ${messages.length} messages and its head says ${head.seq}`;
    const revs = [...messages, ...members, ...others].map(({ rev }) => rev);
    if (new Set(revs).size !== revs.length) yield `two rows of ${c} have the same rev`;
    if (Math.max(...revs) !== head.rev)
      yield `the newest row of ${c} has rev ${Math.max(...revs)} and its head says ${head.rev}`;
  }
  yield* chains(evidence);
};

/** A socket that could not keep up is told so by `heads`; one that leaves a room comes back anywhere. Else ranges join. */
function* chains({ live, hints }: Evidence): Generator<string> {
  const hintsOf = groupBy(hints, ({ device, socket }) => `${socket} ${device}`);
  for (const events of groupBy(live, ({ device, socket, c }) => `${socket} ${device} ${c}`).values()) {
    for (const [i, { device, user, socket, c, from, row, t }] of events.entries()) {
      const before = events[i - 1];
      if (row.rev <= from) yield `socket ${socket} of ${device} was told the empty range (${from}, ${row.rev}] of ${c}`;
      if (!before || before.row.rev === from) continue;
      const left = before.row.user === user && before.row.state !== 'active';
      const dropped = hintsOf
        .get(`${socket} ${device}`)
        ?.some((hint) => hint.t >= before.t && hint.t <= t && (hint.heads[c] ?? 0) > before.row.rev);
      if (!left && !dropped)
        yield `socket ${socket} of ${device} was told ${c} up to ${before.row.rev} and then (${from}, ${row.rev}]`;
    }
  }
}

/** Every rev each row of a conversation was ever seen with. */
interface States {
  byKey: Map<string, number[]>;
  byRev: { rev: number; key: string }[];
}

function states(evidence: Evidence): Map<string, States> {
  const seen = new Map<string, Map<number, string>>();
  const note = (c: string, key: string, rev: number): void => {
    const revs = seen.get(c) ?? new Map<number, string>();
    seen.set(c, revs.set(rev, key));
  };
  for (const { c, row } of evidence.shown()) if (row.t !== 'void') note(c, row.key, row.rev);
  for (const { c, messages, members, others } of evidence.tables.values()) {
    for (const { seq, rev } of messages) note(c, `message:${seq}`, rev);
    for (const { user, rev } of members) note(c, `member:${user}`, rev);
    for (const { key, rev } of others) note(c, key, rev);
  }
  return new Map([...seen].map(([c, revs]) => [c, sorted(revs)]));
}

function sorted(revs: ReadonlyMap<number, string>): States {
  const byRev = [...revs].map(([rev, key]) => ({ rev, key })).toSorted((a, b) => a.rev - b.rev);
  const byKey = groupBy(byRev, ({ key }) => key);
  return { byRev, byKey: new Map([...byKey].map(([key, all]) => [key, all.map(({ rev }) => rev)])) };
}

/** I5: a page up to R holds the latest state of every visible row with rev up to R; no later read shows a new one below. */
export const prefix: Invariant = function* (evidence) {
  const all = states(evidence);
  for (const page of evidence.pages) {
    const { byKey, byRev } = all.get(page.c) ?? { byKey: new Map<string, number[]>(), byRev: [] };
    const latest = (key: string): number => byKey.get(key)?.findLast((rev) => rev <= page.head.rev) ?? 0;
    for (const { key, rev } of page.rows) {
      if (latest(key) > rev) yield `${describe(page)} shows ${key} at rev ${rev}, which had ${latest(key)} by then`;
    }
    if (page.after === null) continue;
    const shown = new Set(page.rows.map(({ key }) => key));
    for (let i = firstAbove(byRev, page.after); i < byRev.length; i++) {
      const { rev = Infinity, key = '' } = byRev[i] ?? {};
      if (rev > page.upTo) break;
      if (latest(key) === rev && !shown.has(key) && visible(page, key))
        yield `${describe(page)} lacks ${key}, which changed at rev ${rev}`;
    }
  }
  for (const { device, c, cache, rows } of evidence.finals) {
    const stored = new Map(rows.map((row) => [row.key, row.rev]));
    for (const [key, rev] of cache) {
      const at = stored.get(key);
      if (at !== undefined && at !== rev) yield `the copy of ${device} holds ${key} of ${c} at rev ${rev}, not ${at}`;
    }
  }
};

function firstAbove(byRev: States['byRev'], after: number): number {
  let low = 0;
  let high = byRev.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((byRev[middle]?.rev ?? 0) > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

const visible = ({ me }: Page, key: string): boolean =>
  !key.startsWith('message:') || Number(key.slice('message:'.length)) >= me.visibleFromSeq;

const describe = ({ device, c, after, upTo }: Page): string => `the page (${after}, ${upTo}] of ${c} for ${device}`;
