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
});

/** Answers statements when it is told to, and counts like the head of a conversation. */
class Database {
  readonly waiting: { bodies: string[]; answer: () => void }[] = [];
  readonly refused = new Map<string, string>();
  private seq = 0;

  query(statement: Sql): Promise<unknown[]> {
    const bodies =
      statement
        .compile()
        .values.find((value): value is string[] => Array.isArray(value) && String(value[0]).startsWith('m')) ?? [];
    return new Promise((resolve, reject) => {
      const answer = () => {
        const code = bodies.map((body) => this.refused.get(body)).find(Boolean);
        if (code) reject(Object.assign(new Error(code), { code, severity: 'ERROR' }));
        else
          resolve(
            bodies.map(() => ({
              seq: ++this.seq,
              rev: this.seq,
              ord: this.seq,
              createdAt: new Date(0),
              threads: null,
            })),
          );
      };
      this.waiting.push({ bodies, answer });
    });
  }

  /** Answers all there is, in order, until nothing more comes. */
  async run(): Promise<string[][]> {
    const seen: string[][] = [];
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      seen.push(next.bodies);
      next.answer();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return seen;
  }
}

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

  it('stores at once when nothing is in flight, and what comes meanwhile together', async () => {
    const sends = [batch.append(draft('c', 'm0'))];
    expect(database.waiting.map(({ bodies }) => bodies)).toEqual([['m0']]);
    for (let i = 1; i <= 250; i++) sends.push(batch.append(draft('c', `m${i}`)));
    expect(database.waiting).toHaveLength(1);
    expect(sizes(await database.run())).toEqual([1, 100, 100, 50]);
    const views = await Promise.all(sends);
    expect(views.map(({ seq, body }) => [seq, body])).toEqual(views.map((_, i) => [i + 1, `m${i}`]));
    expect(announced.map((event) => event.position?.().rev)).toEqual(views.map(({ rev }) => rev));
  });

  it('lets conversations not wait for each other', async () => {
    const sends = [batch.append(draft('c', 'm0')), batch.append(draft('d', 'm1'))];
    expect(database.waiting).toHaveLength(2);
    await database.run();
    await Promise.all(sends);
  });

  it('runs the members of a refused batch one by one, so that only the one at fault is refused', async () => {
    database.refused.set('m2', '23505');
    const sends = ['m0', 'm1', 'm2', 'm3'].map((body) => batch.append(draft('c', body)));
    const outcomes = Promise.allSettled(sends);
    expect(sizes(await database.run())).toEqual([1, 3, 1, 1, 1]);
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(announced).toHaveLength(3);
  });

  it('fails all of a batch whose outcome is unknown, tells nobody, and goes on', async () => {
    database.refused.set('m1', '57014');
    const outcomes = Promise.allSettled(['m0', 'm1', 'm2'].map((body) => batch.append(draft('c', body))));
    await database.run();
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(announced).toHaveLength(1);
    const next = batch.append(draft('c', 'm3'));
    await database.run();
    expect((await next).body).toBe('m3');
  });

  it('refuses what would wait too long', async () => {
    const sends = Promise.allSettled(Array.from({ length: 5002 }, (_, i) => batch.append(draft('c', `m${i}`))));
    await database.run();
    const rejected = (await sends).filter((outcome) => outcome.status === 'rejected');
    expect(rejected).toEqual([
      expect.objectContaining({
        reason: expect.objectContaining({ code: 'overloaded', details: { scope: 'conversation' } }),
      }),
    ]);
  });
});
