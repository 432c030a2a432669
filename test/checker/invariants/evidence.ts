import type {
  Converged,
  Entry,
  Final,
  HeadsHint,
  Invoke,
  Live,
  Opened,
  Outcome,
  Page,
  Row,
  Tables,
} from '../history.js';

export interface Violation {
  invariant: string;
  /** One sentence with the names needed to find it in the history. */
  message: string;
}

/** Decides one invariant of protocol 8 from what was recorded. */
export type Invariant = (evidence: Evidence) => Iterable<string>;

export interface Attempt {
  invoke: Invoke;
  /** Absent when the run ended before any. */
  outcome: Outcome | undefined;
}
type Acked = { invoke: Invoke; ok: Extract<Outcome, { k: 'ok' }> };

/** A history, sorted into what the invariants ask for. */
export class Evidence {
  readonly attempts: Attempt[] = [];
  readonly live: Live[] = [];
  readonly sockets: Opened[] = [];
  readonly hints: HeadsHint[] = [];
  readonly pages: Page[] = [];
  readonly finals: Final[] = [];
  readonly converged: Converged[] = [];
  readonly tables = new Map<string, Tables>();

  constructor(readonly entries: readonly Entry[]) {
    const outcomes = new Map<number, Outcome>();
    for (const entry of entries) {
      if (entry.k === 'ok' || entry.k === 'fail' || entry.k === 'unknown') outcomes.set(entry.id, entry);
      else if (entry.k === 'live') this.live.push(entry);
      else if (entry.k === 'socket') this.sockets.push(entry);
      else if (entry.k === 'heads') this.hints.push(entry);
      else if (entry.k === 'page') this.pages.push(entry);
      else if (entry.k === 'final') this.finals.push(entry);
      else if (entry.k === 'converged') this.converged.push(entry);
      else if (entry.k === 'tables') this.tables.set(entry.c, entry);
    }
    for (const entry of entries) {
      if (entry.k === 'invoke') this.attempts.push({ invoke: entry, outcome: outcomes.get(entry.id) });
    }
  }

  /** Sends that were acknowledged, in the order of their attempts. */
  get ackedSends(): Acked[] {
    return this.attempts.flatMap(({ invoke, outcome }) =>
      invoke.op === 'send' && outcome?.k === 'ok' ? [{ invoke, ok: outcome }] : [],
    );
  }

  /** Every state of a row that anybody was shown, live, in a page or at the end. */
  *shown(): Generator<{ device: string; user: string; c: string; row: Row }> {
    for (const { device, user, c, row } of this.live) yield { device, user, c, row };
    for (const { device, user, c, rows } of this.pages) for (const row of rows) yield { device, user, c, row };
    for (const { device, user, c, rows } of this.finals) for (const row of rows) yield { device, user, c, row };
  }
}

export function groupBy<Item>(items: Iterable<Item>, key: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return groups;
}
