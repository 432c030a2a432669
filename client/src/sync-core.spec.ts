import fc from 'fast-check';
import { ParleyError } from './errors.js';
import type { Message, SyncAnswer, SyncEntry } from './generated/contract.js';
import { Outbox } from './outbox.js';
import { memoryStore, type StoredSend } from './outbox-store.js';
import type { Change, LiveChange, SendResult } from './protocol.js';
import { type Ask, SyncCore } from './sync-core.js';

const ME = 'me';
const LIMIT = 4;
type Row = Pick<Message, 'seq' | 'rev' | 'senderId' | 'clientId' | 'body'>;

/** A conversation as the server keeps it: one row per message, each with its last rev. */
class ServerRoom {
  rev = 0;
  readonly rows: Row[] = [];

  write(senderId: string, clientId: string, body: string): { row: Row; deduplicated: boolean } {
    const stored = this.rows.find((row) => row.senderId === senderId && row.clientId === clientId);
    if (stored) return { row: stored, deduplicated: true };
    const row = { seq: this.rows.length + 1, rev: ++this.rev, senderId, clientId, body };
    this.rows.push(row);
    return { row, deduplicated: false };
  }
  edit(index: number): Row | undefined {
    const row = this.rows[index % Math.max(1, this.rows.length)];
    if (!row) return undefined;
    const edited = { ...row, rev: ++this.rev, body: `${row.body}'` };
    this.rows[row.seq - 1] = edited;
    return edited;
  }
  after(rev: number): Row[] {
    return this.rows.filter((row) => row.rev > rev).sort((a, b) => a.rev - b.rev);
  }
}

const unanswered = () => new ParleyError({ code: 'timeout', status: 0, title: 'No answer', detail: '' });
const toChange = (row: Row): Change => ({ t: 'message', rev: row.rev, v: row as Message });

/** A server, a network that loses, doubles, delays and cuts, and a client made of the real core and the real outbox. */
class World {
  readonly rooms = new Map<string, ServerRoom>([
    ['a', new ServerRoom()],
    ['b', new ServerRoom()],
  ]);
  epoch = 'epoch-1';
  online = false;
  readonly wire: (() => void)[] = [];
  readonly asks: Ask[] = [];
  /** Answers on their way: of the moment the question reached the server. */
  readonly replies: (() => void)[] = [];
  readonly tries: { item: StoredSend; commit: boolean; answer: (result: SendResult) => void; fail: () => void }[] = [];
  readonly sleeping: (() => void)[] = [];
  readonly client = new Map<string, Map<number, Row>>();
  readonly lastRev = new Map<string, number>();
  /** Seq from which on a conversation is loaded; what is older is paged in by seq, and a change of it shows nothing. */
  private readonly loadedFrom = new Map<string, number>();
  readonly faults: string[] = [];
  acknowledged = 0;
  private written = 0;

  readonly core = new SyncCore(() => ME, {
    ask: (ask) => void this.asks.push(ask),
    reset: () => {
      this.client.clear();
      this.lastRev.clear();
    },
    start: (entry) => {
      const last = this.lastRev.get(entry.id) ?? 0;
      if (entry.upTo < last) this.faults.push(`${entry.id}: went back from ${last} to ${entry.upTo}`);
      this.client.set(entry.id, new Map());
      const seqs = entry.changes.map((change) => (change.v as Row).seq);
      this.loadedFrom.set(entry.id, seqs.length > 0 ? Math.min(...seqs) : 1);
      for (const change of entry.changes) this.take(entry.id, change.v as Row);
      this.lastRev.set(entry.id, entry.upTo);
    },
    refresh: () => undefined,
    apply: (c, change) => {
      const last = this.lastRev.get(c) ?? 0;
      if (change.rev <= last) this.faults.push(`${c}: rev ${change.rev} applied after ${last}`);
      this.lastRev.set(c, change.rev);
      if (change.t === 'message') this.take(c, change.v);
    },
    applyUser: () => undefined,
    gone: (c) => void this.client.delete(c),
    synced: () => undefined,
  });
  readonly outbox = new Outbox({
    store: memoryStore()(ME),
    pause: () => new Promise((resolve) => this.sleeping.push(resolve)),
    changed: () => undefined,
    send: (item) => this.trySend(item),
  });

  /** Every row the server has: what a live client must show in the end. */
  differences(): string[] {
    const wrong = [...this.faults];
    for (const [c, room] of this.rooms) {
      const rows = [...(this.client.get(c)?.values() ?? [])].sort((x, y) => x.seq - y.seq);
      // After a limited start only the newest page is there; the rest is paged in by seq.
      const expected = room.rows.slice(room.rows.length - rows.length);
      if (JSON.stringify(rows) !== JSON.stringify(expected)) wrong.push(`${c}: shows other rows than the server has`);
      if (room.rows.length > 0 && rows.length === 0) wrong.push(`${c}: shows nothing`);
      if (this.core.position(c) !== room.rev) wrong.push(`${c}: at ${this.core.position(c)}, server at ${room.rev}`);
      const bodies = room.rows.filter(({ senderId }) => senderId === ME).map(({ body }) => body?.replaceAll("'", ''));
      const numbers = bodies.map((body) => Number(body?.slice(1)));
      if (numbers.some((n, i) => i > 0 && n <= (numbers[i - 1] ?? 0)))
        wrong.push(`${c}: sent out of order ${numbers.join()}`);
    }
    const own = [...this.rooms.values()].flatMap(({ rows }) => rows.filter(({ senderId }) => senderId === ME));
    if (own.length !== this.written) wrong.push(`${this.written} written, ${own.length} on the server`);
    if (this.acknowledged !== this.written) wrong.push(`${this.written} written, ${this.acknowledged} settled`);
    return wrong;
  }

  /** Tries whose outcome the client cannot know yet. */
  outstanding(c: string): number {
    const seen = new Set([...(this.client.get(c)?.values() ?? [])].map(({ clientId }) => clientId));
    return this.tries.filter(({ item }) => item.conversationId === c && !seen.has(item.fields.clientId)).length;
  }

  connect(): void {
    if (this.online) return;
    this.online = true;
    this.core.connected();
  }
  cut(): void {
    if (!this.online) return;
    this.online = false;
    this.wire.length = 0;
    this.asks.length = 0;
    this.replies.length = 0;
    this.core.disconnected();
    // Of each try nobody knows whether it was committed.
    for (const one of this.tries.splice(0)) {
      if (one.commit) this.commit(one.item);
      one.fail();
    }
  }
  restart(): void {
    this.epoch = `epoch-${Number(this.epoch.slice(6)) + 1}`;
    this.cut();
  }

  async write(c: string): Promise<void> {
    const n = ++this.written;
    const fields = { clientId: `client-${n}`, body: `#${n}` };
    const { done } = await this.outbox.add(c, fields);
    void done.then(() => this.acknowledged++);
  }
  others(c: string, n: number): void {
    const room = this.rooms.get(c);
    if (room) this.tell(c, room.rev, room.write('other', `other-${room.rev}`, `o${n}`).row);
  }
  edit(c: string, n: number): void {
    const room = this.rooms.get(c);
    const from = room?.rev ?? 0;
    const row = room?.edit(n);
    if (row) this.tell(c, from, row);
  }

  /** The oldest event, another one (overtaken), twice, or never. */
  deliver(how: number): void {
    const index = how % 5 === 1 ? this.wire.length - 1 : 0;
    const [event] = this.wire.splice(index, 1);
    if (how % 5 === 2) return;
    event?.();
    if (how % 5 === 3) event?.();
  }
  hint(): void {
    this.core.heads(Object.fromEntries([...this.rooms].map(([c, room]) => [c, room.rev])));
  }

  /** A question reaches the server. */
  answer(which: number): void {
    const [ask] = this.asks.splice(which % Math.max(1, this.asks.length), 1);
    if (!ask) return;
    if (ask.kind === 'sync') {
      const answer = this.sync(ask.request);
      this.replies.push(() => this.core.answeredSync(ask, answer));
    } else if (ask.kind === 'changes') {
      const answer = this.changes(ask.c, ask.after);
      this.replies.push(() => this.core.answeredChanges(ask, answer));
    } else {
      this.replies.push(() => this.core.answeredUser(ask, { changes: [], upTo: ask.after, more: false }));
    }
  }
  reply(which: number): void {
    const [reply] = this.replies.splice(which % Math.max(1, this.replies.length), 1);
    reply?.();
  }
  /** The client is put into a conversation that has a history. */
  join(n: number): void {
    const c = `joined-${this.rooms.size}`;
    if (this.rooms.size > 3) return;
    this.rooms.set(c, new ServerRoom());
    for (let i = 0; i <= n; i++) this.others(c, i);
  }

  /** The try reaches the server; its answer comes, or is lost. */
  reach(which: number, answered: boolean): void {
    const [one] = this.tries.splice(which % Math.max(1, this.tries.length), 1);
    if (!one) return;
    const result = this.commit(one.item);
    if (!answered) return one.fail();
    this.core.own(one.item.conversationId, toChange(result.message));
    one.answer(result);
  }
  wake(): void {
    this.sleeping.shift()?.();
  }

  private async trySend(item: StoredSend): Promise<SendResult> {
    if (!this.online) throw unanswered();
    return new Promise<SendResult>((answer, reject) => {
      this.tries.push({ item, commit: item.order % 2 === 0, answer, fail: () => reject(unanswered()) });
    });
  }

  private commit({ conversationId: c, fields }: StoredSend): SendResult {
    const room = this.rooms.get(c);
    if (!room) throw new Error('no such room');
    const from = room.rev;
    const { row, deduplicated } = room.write(ME, fields.clientId, fields.body ?? '');
    if (!deduplicated) this.tell(c, from, row);
    return { message: row as Message, deduplicated };
  }
  private tell(c: string, from: number, row: Row): void {
    if (this.online) this.wire.push(() => this.core.change({ c, from, ...toChange(row) } as LiveChange));
  }
  private take(c: string, row: Row): void {
    if (row.seq >= (this.loadedFrom.get(c) ?? 1)) this.client.get(c)?.set(row.seq, row);
    if (row.senderId === ME) this.outbox.seen(row as Message);
  }
  private changes(c: string, after: number) {
    const room = this.rooms.get(c) ?? new ServerRoom();
    const rows = room.after(after);
    const page = rows.slice(0, LIMIT);
    const more = rows.length > LIMIT;
    const upTo = more ? (page.at(-1)?.rev ?? after) : room.rev;
    return {
      c,
      changes: page.map(toChange),
      upTo,
      more,
      head: { seq: room.rows.length, rev: room.rev },
      me: {},
    } as never;
  }
  /** One conversation per page, so that cursors are used. */
  private sync(request: Extract<Ask, { kind: 'sync' }>['request']): SyncAnswer {
    const reset = request.epoch !== this.epoch;
    const ids = [...this.rooms.keys()];
    const c = request.cursor ?? ids[0] ?? '';
    const room = this.rooms.get(c) ?? new ServerRoom();
    const mine = reset ? undefined : request.heads?.[c];
    const behind = room.after(mine ?? 0);
    const limited = mine === undefined || behind.length > LIMIT;
    const changes = limited ? room.rows.slice(-LIMIT).sort((x, y) => x.rev - y.rev) : behind;
    const head = { seq: room.rows.length, rev: room.rev };
    const entry = { id: c, head, me: {}, upTo: room.rev, limited, conversation: limited ? {} : null, receipts: null };
    const next = ids[ids.indexOf(c) + 1] ?? null;
    return {
      epoch: this.epoch,
      reset,
      userRev: 0,
      user: [],
      userMore: false,
      gone: [],
      cursor: next,
      conversations: [{ ...entry, changes: changes.map(toChange) } as unknown as SyncEntry],
    };
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What may happen, the frequent more than once. */
const often = `write write others others edit deliver deliver deliver answer answer answer reply reply reply join
  reach reach reachLost wake cut connect connect hint restart`.split(/\s+/);
const step = fc.tuple(fc.constantFrom(...often), fc.nat(20));

async function act(world: World, [kind, n]: [string, number]): Promise<void> {
  const ids = [...world.rooms.keys()];
  const c = ids[n % ids.length] ?? 'a';
  if (kind === 'write') await world.write(c);
  else if (kind === 'others') world.others(c, n);
  else if (kind === 'edit') world.edit(c, n);
  else if (kind === 'deliver') world.deliver(n);
  else if (kind === 'answer') world.answer(n);
  else if (kind === 'reply') world.reply(n);
  else if (kind === 'join') world.join(n);
  else if (kind === 'reach') world.reach(n, true);
  else if (kind === 'reachLost') world.reach(n, false);
  else if (kind === 'wake') world.wake();
  else if (kind === 'cut') world.cut();
  else if (kind === 'connect') world.connect();
  else if (kind === 'hint') world.hint();
  else if (kind === 'restart') world.restart();
  // Promises of the outbox move between the steps, not at once.
  if (n % 3 === 0) await settle();
}

/** The faults end: everything that is under way arrives, and the server repeats its heads. */
async function quiet(world: World): Promise<void> {
  for (let idle = 0; idle < 3;) {
    world.connect();
    const busy =
      world.wire.length + world.asks.length + world.replies.length + world.tries.length + world.sleeping.length > 0;
    while (world.wire.length > 0) world.deliver(0);
    while (world.asks.length + world.replies.length > 0) {
      world.answer(0);
      world.reply(0);
    }
    while (world.tries.length > 0) world.reach(0, true);
    while (world.sleeping.length > 0) world.wake();
    if (!busy) world.hint();
    await settle();
    idle = busy ? 0 : idle + 1;
  }
}

async function run(steps: [string, number][]): Promise<string[]> {
  const world = new World();
  world.connect();
  for (const one of steps) {
    await act(world, one);
    for (const c of world.rooms.keys()) if (world.outstanding(c) > 1) world.faults.push(`${c}: two sends outstanding`);
  }
  await quiet(world);
  return world.differences();
}

describe('the client under every interleaving', () => {
  const numRuns = Number(process.env['PARLEY_SCHEDULES'] ?? 10_000);
  const seed = Number(process.env['PARLEY_SEED'] ?? Date.now() % 2 ** 31);

  it(`shows what the server has, in its order, and sends once (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        expect(await run(steps)).toEqual([]);
      }),
      { numRuns, seed },
    );
  }, 120_000);

  /** Connected and up to date. */
  const synced = (): World => {
    const world = new World();
    world.connect();
    for (let page = 0; page < 2; page++) {
      world.answer(0);
      world.reply(0);
    }
    return world;
  };
  const seqs = (world: World, c: string) => [...(world.client.get(c)?.values() ?? [])].map(({ seq }) => seq);

  it('fills a gap before it applies what comes after', () => {
    const world = synced();
    world.others('a', 1);
    world.others('a', 2);
    world.deliver(2); // lost
    world.deliver(0);
    expect(seqs(world, 'a')).toEqual([]);
    expect(world.asks).toEqual([{ kind: 'changes', c: 'a', after: 0 }]);
    world.answer(0);
    world.reply(0);
    expect(seqs(world, 'a')).toEqual([1, 2]);
  });

  it.each([
    ['a sync that goes on', () => undefined],
    [
      'a sync that starts the conversation anew',
      (world: World) => [1, 2, 3, 4, 5].forEach((n) => world.others('a', n)),
    ],
    ['a reset', (world: World) => void (world.epoch = 'epoch-2')],
  ])('keeps what arrives live while %s is under way, and asks for nothing again', (_, prepare) => {
    const world = synced();
    world.cut();
    prepare(world);
    world.connect();
    world.answer(0); // the snapshot
    world.others('a', 9);
    world.deliver(0);
    const before = seqs(world, 'a').length;
    world.reply(0);
    world.answer(0);
    world.reply(0);
    expect(seqs(world, 'a').at(-1)).toBe(world.rooms.get('a')?.rows.length);
    expect(seqs(world, 'a').length).toBeGreaterThan(before);
    expect(world.asks).toEqual([]);
  });

  it('starts with a sync when it hears of a conversation it does not know', () => {
    const world = synced();
    world.join(0);
    world.deliver(0);
    expect(world.asks).toMatchObject([{ kind: 'sync', request: { heads: { a: 0, b: 0 } } }]);
    for (let page = 0; page < 3; page++) {
      world.answer(0);
      world.reply(0);
    }
    expect(seqs(world, 'joined-2')).toEqual([1]);
    expect(world.asks).toEqual([]);
  });
});
