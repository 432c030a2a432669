import type { Config } from '../../platform/config/config.js';
import type { DatabaseService } from '../../platform/database/database.service.js';
import type { Sql } from '../../platform/database/sql.js';
import type { EventsService } from '../../platform/events/events.service.js';
import type { DomainEvent } from '../../platform/events/domain-event.js';
import type { Draft } from './message-batch.rules.js';
import { MessageBatchService } from './message-batch.service.js';

const draft = (conversationId: string, body: string): Draft => ({
  conversationId,
  id: `id of ${body}`,
  kind: 'text',
  senderId: 'sender',
  clientId: body,
  payloadHash: '',
  body,
  meta: null,
  replyToSeq: null,
  threadId: null,
  mentions: [],
  mentionAll: false,
  forwardedFrom: null,
  silent: false,
  attachmentIds: [],
  attachments: [],
  ownsAttachments: true,
  markRead: true,
  unasked: true,
  pauseMs: 0,
});

/** Answers statements when it is told to, and counts like the heads of conversations. */
class Database {
  readonly waiting: { bodies: string[]; answer: () => void }[] = [];
  readonly refused = new Map<string, string>();
  /** Conversations that a joint statement passes over. */
  readonly busy = new Set<string>();
  private readonly seqs = new Map<string, number>();

  query(statement: Sql): Promise<unknown[]> {
    const { values } = statement.compile();
    const bodies =
      values.find((value): value is string[] => Array.isArray(value) && String(value[0]).startsWith('m')) ?? [];
    return new Promise((resolve, reject) => {
      const answer = () => {
        const code = bodies.map((body) => this.refused.get(body)).find(Boolean);
        if (code) reject(Object.assign(new Error(code), { code, severity: 'ERROR' }));
        else resolve(Array.isArray(values[0]) ? this.heads(values) : this.rows(String(values[0]), bodies));
      };
      this.waiting.push({ bodies, answer });
    });
  }

  /** The answer of a joint statement: ids and numbers of messages of each conversation come first. */
  private heads([ids, counts]: unknown[]) {
    return (ids as string[]).flatMap((conversationId, i) => {
      if (this.busy.has(conversationId)) return [];
      const seq = this.step(conversationId, (counts as number[])[i] ?? 0);
      return [{ conversationId, seq, rev: seq, ord: seq, at: new Date(0) }];
    });
  }

  private rows(conversationId: string, bodies: string[]) {
    const first = this.step(conversationId, bodies.length) + 1;
    return bodies.map((_, i) => ({
      seq: first + i,
      rev: first + i,
      ord: first + i,
      createdAt: new Date(0),
      threads: null,
    }));
  }

  private step(conversationId: string, by: number): number {
    const before = this.seqs.get(conversationId) ?? 0;
    this.seqs.set(conversationId, before + by);
    return before;
  }

  /** Answers all there is, in order, until nothing more comes. */
  async run(): Promise<string[][]> {
    const seen: string[][] = [];
    await turn();
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      seen.push(next.bodies);
      next.answer();
      await turn();
      await turn();
    }
    return seen;
  }
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('MessageBatchService', () => {
  let database: Database;
  let announced: DomainEvent[];
  let batch: MessageBatchService;
  beforeEach(() => {
    database = new Database();
    announced = [];
    const events = { announce: (event: DomainEvent) => announced.push(event) };
    const config = { MESSAGE_BATCH_MAX: 100 } as Config;
    batch = new MessageBatchService(database as unknown as DatabaseService, events as unknown as EventsService, config);
  });
  const sizes = (flushes: string[][]) => flushes.map((bodies) => bodies.length);
  const inFlight = () => database.waiting.map(({ bodies }) => bodies);

  it('stores at once when nothing is in flight, and what comes meanwhile together', async () => {
    const sends = [batch.append(draft('c', 'm0'))];
    await turn();
    expect(inFlight()).toEqual([['m0']]);
    for (let i = 1; i <= 250; i++) sends.push(batch.append(draft('c', `m${i}`)));
    await turn();
    expect(database.waiting).toHaveLength(1);
    expect(sizes(await database.run())).toEqual([1, 100, 100, 50]);
    const views = await Promise.all(sends);
    expect(views.map(({ seq, body }) => [seq, body])).toEqual(views.map((_, i) => [i + 1, `m${i}`]));
    expect(announced.map((event) => event.position?.().rev)).toEqual(views.map(({ rev }) => rev));
  });

  it('stores what comes for many conversations in one breath in one statement', async () => {
    const sends = ['c', 'd', 'c', 'e'].map((c, i) => batch.append(draft(c, `m${i}`)));
    await turn();
    expect(inFlight()).toEqual([['m0', 'm2', 'm1', 'm3']]);
    await database.run();
    expect((await Promise.all(sends)).map(({ seq, body }) => [seq, body])).toEqual([
      [1, 'm0'],
      [1, 'm1'],
      [2, 'm2'],
      [1, 'm3'],
    ]);
  });

  it('lets a conversation not wait for the statement of another one', async () => {
    const sends = [batch.append(draft('c', 'm0'))];
    await turn();
    sends.push(batch.append(draft('d', 'm1')), batch.append(draft('c', 'm2')));
    await turn();
    expect(inFlight()).toEqual([['m0'], ['m1']]);
    await database.run();
    await Promise.all(sends);
  });

  it('gathers further conversations while two statements are in flight', async () => {
    const sends: Promise<unknown>[] = [];
    for (const c of ['a', 'b', 'c', 'd']) {
      sends.push(batch.append(draft(c, `m of ${c}`)));
      await turn();
    }
    expect(inFlight()).toEqual([['m of a'], ['m of b']]);
    expect(await database.run()).toEqual([['m of a'], ['m of b'], ['m of c', 'm of d']]);
    await Promise.all(sends);
  });

  it('gives a conversation that was passed over a statement of its own, which holds up nobody', async () => {
    database.busy.add('c');
    const sends = [batch.append(draft('c', 'm0')), batch.append(draft('d', 'm1'))];
    await turn();
    database.waiting.shift()?.answer();
    expect((await sends[1])?.seq).toBe(1);
    expect(inFlight()).toEqual([['m0']]);
    sends.push(batch.append(draft('d', 'm2')), batch.append(draft('c', 'm3')));
    await turn();
    expect(inFlight()).toEqual([['m0'], ['m2']]);
    await database.run();
    expect((await Promise.all(sends)).map(({ seq }) => seq)).toEqual([1, 1, 2, 2]);
  });

  it('gives what is not plain a statement of its own conversation', async () => {
    const sends = [batch.append(draft('c', 'm0')), batch.append({ ...draft('d', 'm1'), unasked: false })];
    await turn();
    expect(inFlight()).toEqual([['m1'], ['m0']]);
    await database.run();
    await Promise.all(sends);
  });

  it('runs the members of a refused batch one by one, so that only the one at fault is refused', async () => {
    database.refused.set('m2', '23505');
    const sends = ['m0', 'm1', 'm2', 'm3'].map((body) => batch.append(draft('c', body)));
    const outcomes = Promise.allSettled(sends);
    expect(sizes(await database.run())).toEqual([4, 1, 1, 1, 1]);
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(announced).toHaveLength(3);
  });

  it('finds the conversation at fault by halves, and stores the others', async () => {
    database.refused.set('m3', '23505');
    const sends = Array.from({ length: 8 }, (_, i) => batch.append(draft(`c${i}`, `m${i}`)));
    const outcomes = Promise.allSettled(sends);
    expect(sizes(await database.run())).toEqual([8, 4, 2, 2, 1, 1, 4]);
    expect((await outcomes).map(({ status }) => status === 'rejected')).toEqual(sends.map((_, i) => i === 3));
  });

  it('fails all of a batch whose outcome is unknown, tells nobody, and goes on', async () => {
    database.refused.set('m1', '57014');
    const outcomes = Promise.allSettled(['m0', 'm1', 'm2'].map((body) => batch.append(draft(`of ${body}`, body))));
    await database.run();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(announced).toHaveLength(0);
    const next = batch.append(draft('of m1', 'm3'));
    await database.run();
    expect((await next).body).toBe('m3');
  });

  it('refuses what would wait too long', async () => {
    const first = batch.append(draft('c', 'm'));
    await turn();
    const sends = Promise.allSettled(Array.from({ length: 5001 }, (_, i) => batch.append(draft('c', `m${i}`))));
    await database.run();
    await first;
    const rejected = (await sends).filter((outcome) => outcome.status === 'rejected');
    expect(rejected).toEqual([
      expect.objectContaining({
        reason: expect.objectContaining({ code: 'overloaded', details: { scope: 'conversation' } }),
      }),
    ]);
  });
});
