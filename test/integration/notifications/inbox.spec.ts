import { randomUUID } from 'node:crypto';
import { createAdmin } from '../../support/admins.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { connect, type Person, register } from '../../support/people.js';
import { NotificationsService } from '../../../src/modules/notifications/notifications.service.js';
import { createGroup, direct, send } from '../messages/support.js';

let app: TestApp;
let ada: Person;
let bob: Person;
let cy: Person;
beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  [ada, bob, cy] = [await register(app.url, 'Ada'), await register(app.url, 'Bob'), await register(app.url, 'Cy')];
});

interface Item {
  id: string;
  kind: string;
  actorId: string | null;
  conversationId: string | null;
  seq: number | null;
  readAt: string | null;
  data: Record<string, unknown>;
}
const items = async (person: Person, filter = '') =>
  (await person.get<{ items: Item[]; next: string | null }>(`/api/v1/notifications?${filter}`)).body.items;
/** Looks until there are so many: they come behind the answers. */
async function until(person: Person, count: number): Promise<Item[]> {
  for (let i = 0; i < 400; i++) {
    const found = await items(person);
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`still ${JSON.stringify(await items(person))}`);
}
const unread = async (person: Person) =>
  (await person.get<{ notifications: number }>('/api/v1/unread')).body.notifications;

it('lists what concerned somebody, each cause once, on open sockets too', async () => {
  const socket = await connect(bob);
  const c = await createGroup(ada, [bob, cy]);
  await until(bob, 1);
  const root = await send(bob, c, 'root');
  const reply = await send(ada, c, { body: 'Bob, an answer', replyToSeq: root.seq, mentions: [bob.id] });
  const second = await send(cy, c, { body: 'one more', replyToSeq: root.seq });
  const found = await until(bob, 3);
  expect(found).toMatchObject([
    { kind: 'reply', actorId: cy.id, conversationId: c, seq: second.seq, data: { messageId: second.id } },
    { kind: 'mention', actorId: ada.id, conversationId: c, seq: reply.seq, readAt: null },
    { kind: 'added', actorId: ada.id, conversationId: c },
  ]);
  await socket.until<{ t: string; v: { kind: string } }>(
    'user.change',
    ({ t, v }) => t === 'notification' && v.kind === 'reply',
  );
  await bob.put(`/api/v1/users/me/contacts/${ada.id}`);
  expect((await until(ada, 1))[0]).toMatchObject({ kind: 'new_follower', actorId: bob.id });
  socket.close();
});

it('mention-all reaches all but the sender; nobody who blocked them', async () => {
  const c = await createGroup(ada, [bob, cy]);
  await Promise.all([until(bob, 1), until(cy, 1)]);
  await cy.put(`/api/v1/users/me/blocks/${ada.id}`);
  await send(ada, c, { body: 'all', mentionAll: true });
  expect((await until(bob, 2))[0]).toMatchObject({ kind: 'mention' });
  expect([await items(ada), (await items(cy)).map(({ kind }) => kind)]).toEqual([[], ['added']]);
});

it('replies in a thread reach those who follow it', async () => {
  const c = await createGroup(ada, [bob, cy]);
  await until(bob, 1);
  const root = await send(bob, c, 'root');
  const { body } = await ada.post<{ id: string }>(`/api/v1/conversations/${c}/threads`, { rootSeq: root.seq });
  await bob.put(`/api/v1/threads/${body.id}/members/me`);
  await send(ada, c, { body: 'in the thread', threadId: body.id });
  expect((await until(bob, 2))[0]).toMatchObject({ kind: 'thread_reply', data: { threadId: body.id } });
});

it('nobody is "added" to a direct conversation; a missed call is told', async () => {
  const c = await direct(ada, bob);
  const { body } = await ada.post<{ id: string }>(`/api/v1/conversations/${c}/calls`, {
    media: 'audio',
    clientId: randomUUID(),
  });
  await query(
    `UPDATE call_logs SET created_at = now() - interval '1 minute' WHERE id = $1`,
    [body.id],
    app.databaseUrl,
  );
  expect(await until(bob, 1)).toMatchObject([{ kind: 'missed_call', actorId: ada.id, data: { callId: body.id } }]);
  expect(await items(ada)).toEqual([]);
});

it('is read, counted, paged and dismissed', async () => {
  const warnings = app.app.nest.get(NotificationsService);
  for (let i = 0; i < 5; i++) await warnings.warn(bob.id, `cause-${i}`, { i });
  await warnings.warn(bob.id, 'cause-4', { again: true });
  expect(await unread(bob)).toBe(5);
  const first = await bob.get<{ items: Item[]; next: string }>('/api/v1/notifications?limit=3');
  const rest = await bob.get<{ items: Item[]; next: null }>(`/api/v1/notifications?limit=3&cursor=${first.body.next}`);
  const all = [...first.body.items, ...rest.body.items];
  // What happens within one millisecond has no order.
  expect(all.map(({ id }) => id)).toEqual(
    all
      .map(({ id }) => id)
      .toSorted()
      .toReversed(),
  );
  expect(new Set(all.map(({ data }) => data['i']))).toEqual(new Set([0, 1, 2, 3, 4]));
  expect(rest.body.next).toBeNull();
  const read = (which: object) => bob.post('/api/v1/notifications/read', which);
  expect((await read({ ids: [all[0]?.id, randomUUID()] })).body).toEqual({ unread: 4 });
  expect((await read({ upTo: all[3]?.id })).body).toEqual({ unread: 2 });
  expect((await items(bob, 'unread=true')).map(({ id }) => id)).toEqual([all[1]?.id, all[2]?.id]);
  expect((await read({})).status).toBe(400);
  expect((await cy.delete(`/api/v1/notifications/${all[1]?.id}`)).status).toBe(404);
  expect((await bob.delete(`/api/v1/notifications/${all[1]?.id}`)).status).toBe(204);
  expect(await unread(bob)).toBe(1);
  const { body } = await bob.get<{ changes: { t: string; rev: number; v: { deleted: boolean } }[] }>(
    '/api/v1/users/me/changes?after=0',
  );
  const changes = body.changes.filter(({ t }) => t === 'notification');
  expect(changes).toHaveLength(5);
  expect(new Set(changes.map(({ rev }) => rev)).size).toBe(5);
  expect(changes.filter(({ v }) => v.deleted)).toHaveLength(1);
});

it('dead letters are listed, replayed and deleted by permission', async () => {
  const admin = await createAdmin(app);
  const id = randomUUID();
  const insert = `INSERT INTO dead_letters (id, queue, topic, payload, reason, attempts) VALUES ($1, 'outbox', $2, $3, 'x', 10)`;
  const payload = { key: bob.id, payload: { userId: bob.id, ownerId: cy.id } };
  await query(insert, [id, 'contact.added', payload], app.databaseUrl);
  expect((await bob.get('/api/v1/admin/dead-letters')).status).toBe(403);
  const list = async () =>
    (await admin.get<{ items: { id: string; replayedAt: string | null }[] }>('/api/v1/admin/dead-letters?queue=outbox'))
      .body.items;
  expect(await list()).toMatchObject([{ id, topic: 'contact.added', payload, attempts: 10, replayedAt: null }]);
  const queues = await admin.get<{ items: object[] }>('/api/v1/admin/queues');
  expect(queues.body.items).toContainEqual(expect.objectContaining({ queue: 'outbox', deadLetters: 1 }));
  expect((await admin.post(`/api/v1/admin/dead-letters/${id}/replay`)).status).toBe(202);
  expect(await until(bob, 1)).toMatchObject([{ kind: 'new_follower', actorId: cy.id }]);
  expect(await list()).toMatchObject([{ replayedAt: expect.any(String) }]);
  expect((await admin.delete(`/api/v1/admin/dead-letters/${id}`)).status).toBe(204);
  expect(await list()).toEqual([]);
  expect((await admin.post(`/api/v1/admin/dead-letters/${id}/replay`)).status).toBe(404);
});
