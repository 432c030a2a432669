import { randomUUID } from 'node:crypto';
import { Actors } from '../../src/platform/auth/actors.js';
import { metrics } from '../../src/platform/logging/metrics.js';
import { MessagesConsumer } from '../../src/modules/messages/messages.consumer.js';
import { createTestApp, type TestApp } from '../support/app.js';
import { query } from '../support/database.js';
import { type Person, registerMany } from '../support/people.js';
import { createGroup, send } from '../integration/messages/support.js';

/** How many statements a request may cost, whatever it answers. Beside them every snapshot has its BEGIN and COMMIT. */
const budgets: [string, (c: string, thread: string) => string, number][] = [
  ['history', (c) => `/api/v1/conversations/${c}/messages`, 2],
  ['history around a point', (c) => `/api/v1/conversations/${c}/messages?around=10`, 3],
  ['one message', (c) => `/api/v1/conversations/${c}/messages/2`, 2],
  ['changes', (c) => `/api/v1/conversations/${c}/changes?after=0`, 8],
  ['reactions', (c) => `/api/v1/conversations/${c}/messages/2/reactions`, 3],
  ['pins', (c) => `/api/v1/conversations/${c}/pins`, 2],
  ['threads', (c) => `/api/v1/conversations/${c}/threads`, 3],
  ['thread messages', (_, thread) => `/api/v1/threads/${thread}/messages`, 6],
  ['thread members', (_, thread) => `/api/v1/threads/${thread}/members`, 3],
  ['calls', () => '/api/v1/calls', 2],
  ['scheduled messages', () => '/api/v1/scheduled-messages', 1],
  ['search', () => '/api/v1/search/messages?q=word', 4],
  ['own feed', () => '/api/v1/users/me/changes?after=0', 12],
];

describe('statements per request', () => {
  let parley: TestApp;
  let ada: Person;
  let c: string;
  let thread: string;
  beforeAll(async () => {
    // Nothing runs beside the requests that are counted.
    parley = await createTestApp({ ROLE: 'api', ANTI_ENTROPY_MS: '600000' });
    const people = await registerMany(parley.url, 6);
    [ada] = people as [Person];
    c = await createGroup(ada, people.slice(1));
    const root = await send(ada, c, 'word');
    thread = (await ada.post<{ id: string }>(`/api/v1/conversations/${c}/threads`, { rootSeq: root.seq })).body.id;
    for (const person of people) {
      for (let i = 0; i < 4; i++) {
        const { seq } = await send(person, c, { body: `word ${i}`, mentions: [ada.id] });
        await ada.put(`/api/v1/conversations/${c}/messages/${seq}/pin`);
        await person.post(`/api/v1/conversations/${c}/threads`, { rootSeq: seq });
      }
      await person.put(`/api/v1/conversations/${c}/messages/2/reactions/x`);
      await send(person, c, { body: 'reply', threadId: thread });
      const call = await person.post<{ id: string }>(`/api/v1/conversations/${c}/calls`, {
        media: 'audio',
        clientId: randomUUID(),
      });
      await person.post(`/api/v1/calls/${call.body.id}/end`);
      await ada.post('/api/v1/scheduled-messages', {
        conversationId: c,
        clientId: randomUUID(),
        body: 'x',
        sendAt: new Date(Date.now() + 60_000).toISOString(),
      });
    }
    const consumer = parley.app.nest.get(MessagesConsumer, { strict: false });
    const rows = await query<{ id: string }>('SELECT id FROM messages', [], parley.databaseUrl);
    for (const { id } of rows) await consumer.onCreated([{ id, topic: 'message.created', key: c, payload: { id } }]);
    for (let i = 0; i < 20; i++) await createGroup(ada, [people[1] as Person]);
  });
  afterAll(() => parley.close());
  const statements = async () =>
    (await metrics.dbDuration.get()).values.find(({ metricName }) => metricName?.endsWith('_count'))?.value ?? 0;
  /** Her session is known for the next seconds, not only for the rest of those since it was last looked up. */
  const meet = async () => {
    parley.app.nest.get(Actors, { strict: false }).forgetAll();
    await ada.get('/api/v1/users/me');
  };
  const cost = async (work: () => Promise<{ status: number }>) => {
    await meet();
    const before = await statements();
    expect((await work()).status).toBe(200);
    return (await statements()) - before;
  };

  it.each(budgets)('%s', async (_, path, budget) => {
    const used = await cost(() => ada.get(path(c, thread)));
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThanOrEqual(budget);
  });

  it('sync, with one conversation that has changed or with all', async () => {
    const { body } = await ada.post<{ epoch: string; conversations: { id: string; upTo: number }[] }>(
      '/api/v1/sync',
      {},
    );
    const heads = Object.fromEntries(body.conversations.map(({ id, upTo }) => [id, upTo]));
    const behind = Object.fromEntries(Object.entries(heads).map(([id, upTo]) => [id, upTo - 1]));
    for (const request of [{}, { epoch: body.epoch, heads }, { epoch: body.epoch, heads: behind }]) {
      expect(await cost(() => ada.post('/api/v1/sync', request))).toBeLessThanOrEqual(24);
    }
  });

  it('a send, and a repeat of it', async () => {
    const fields = { clientId: randomUUID(), body: 'x' };
    const post = async () => {
      const before = await statements();
      await ada.post(`/api/v1/conversations/${c}/messages`, fields);
      return (await statements()) - before;
    };
    await meet();
    expect(await post()).toBe(1);
    expect(await post()).toBeLessThanOrEqual(4);
  });
});
