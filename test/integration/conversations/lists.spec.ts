import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { type Person, register, registerMany } from '../../support/people.js';
import { addMembers, type Conversation, conversations, room, statementsOf, upTo } from './support.js';

let app: TestApp;
let owner: Person;
let others: Person[];
beforeAll(async () => {
  // No background work and no comparing of heads: their statements would be counted too.
  app = await createTestApp({ ROLE: 'api', ANTI_ENTROPY_MS: '600000' });
  [owner, ...others] = (await registerMany(app.url, 4)) as [Person, ...Person[]];
});
afterAll(() => app.close());

interface List<Item> {
  items: Item[];
  next: string | null;
}
const list = async (person: Person, query = '') =>
  (await person.get<List<Conversation>>(`${conversations}${query}`)).body;
const say = (person: Person, id: string) =>
  person.post(`${conversations}/${id}/messages`, { clientId: randomUUID(), body: 'hello' });

describe('the list of conversations', () => {
  it('shows where something happened last first, page by page', async () => {
    const reader = await register(app.url);
    const rooms: Conversation[] = [];
    for (const i of upTo(5)) rooms.push(await room([owner, reader], { title: `Room ${i}` }));
    await say(owner, rooms[1]?.id ?? '');
    const expected = ['Room 2', 'Room 5', 'Room 4', 'Room 3', 'Room 1'];
    expect((await list(reader)).items.map(({ title }) => title)).toEqual(expected);
    const titles: (string | null)[] = [];
    let cursor: string | null = null;
    do {
      const page: List<Conversation> = await list(reader, `?limit=2${cursor ? `&cursor=${cursor}` : ''}`);
      titles.push(...page.items.map(({ title }) => title));
      cursor = page.next;
    } while (cursor);
    expect(titles).toEqual(expected);
  });

  it('is filtered by what was archived and what is unread', async () => {
    const reader = await register(app.url);
    const [, archived, loud, marked] = await Promise.all(
      ['quiet', 'archived', 'loud', 'marked'].map((title) => room([owner, reader], { title })),
    );
    await reader.patch(`${conversations}/${archived?.id}/me`, { archived: true });
    await reader.patch(`${conversations}/${marked?.id}/me`, { markedUnread: true });
    await say(owner, loud?.id ?? '');
    await say(owner, archived?.id ?? '');
    const titles = async (filter: string) =>
      new Set((await list(reader, `?filter=${filter}`)).items.map(({ title }) => title));
    expect(await titles('active')).toEqual(new Set(['loud', 'marked', 'quiet']));
    expect(await titles('archived')).toEqual(new Set(['archived']));
    expect(await titles('unread')).toEqual(new Set(['loud', 'marked']));
    const totals = await reader.get('/api/v1/unread');
    expect(totals.body).toEqual({ conversations: 2, messages: 1, mentions: 0, notifications: 0 });
  });

  it.each(['?filter=all', '?limit=0', '?limit=101', '?limit=x', '?limit=1e1', '?limit=0x10', '?limit=', '?colour=red'])(
    'refuses %s',
    async (query) => {
      expect(await owner.get(`${conversations}${query}`)).toMatchObject({
        status: 400,
        body: { code: 'validation_failed' },
      });
    },
  );

  it('refuses cursors that are none, or of another list', async () => {
    await room([owner, ...others]);
    const { id } = await room([owner, ...others]);
    const members = await owner.get<List<object>>(`${conversations}/${id}/members?limit=1`);
    for (const cursor of ['x', members.body.next]) {
      expect(await owner.get(`${conversations}?cursor=${cursor}`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_cursor' },
      });
    }
  });
});

describe('the list of members', () => {
  it('holds everybody once, page by page, with their number', async () => {
    const { id } = await room([owner, ...others]);
    const first = await owner.get<List<{ userId: string }> & { count: number }>(
      `${conversations}/${id}/members?limit=3`,
    );
    const second = await owner.get<List<{ userId: string }> & { count: number }>(
      `${conversations}/${id}/members?limit=3&cursor=${first.body.next}`,
    );
    expect([first.body.count, second.body.next]).toEqual([4, null]);
    expect([...first.body.items, ...second.body.items].map(({ userId }) => userId).toSorted()).toEqual(
      [owner, ...others].map(({ id: userId }) => userId).toSorted(),
    );
  });
});

describe('query budget', () => {
  /** Authentication is one statement, now and then, and limits none here. */
  const SIGNED_IN = 1;
  const budget: [string, (id: string) => string, number][] = [
    ['conversations', () => `${conversations}?limit=100`, 3],
    ['unread conversations', () => `${conversations}?filter=unread`, 3],
    ['public channels', () => `${conversations}/discover`, 1],
    ['one conversation', (id) => `${conversations}/${id}`, 3],
    ['members', (id) => `${conversations}/${id}/members`, 3],
    ['receipts', (id) => `${conversations}/${id}/receipts`, 3],
    ['invites', (id) => `${conversations}/${id}/invites`, 2],
    ['drafts', () => '/api/v1/drafts', 1],
    ['unread', () => '/api/v1/unread', 3],
    ['unread of one', (id) => `${conversations}/${id}/unread`, 3],
  ];

  it.each(budget)('%s', async (_, path, statements) => {
    const reader = await register(app.url);
    const rooms = await Promise.all(
      upTo(12).map(() => room([owner, reader], { type: 'channel', visibility: 'public' })),
    );
    await Promise.all(rooms.map(({ id }) => say(owner, id)));
    await Promise.all(rooms.map(({ id }) => reader.put(`${conversations}/${id}/draft`, { body: 'x' })));
    const { id } = rooms[0] ?? { id: '' };
    await addMembers(
      owner,
      id,
      others.map((other) => other.id),
    );
    const asks = path(id);
    const person = asks.endsWith('/invites') ? owner : reader;
    expect((await person.get(asks)).status).toBe(200);
    const used = await statementsOf(app, () => person.get(asks));
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThanOrEqual(statements + SIGNED_IN);
  });
});
