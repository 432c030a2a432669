import { randomUUID } from 'node:crypto';
import { ConversationsService } from '../../../src/modules/conversations/conversations.service.js';
import { inspectedConversation, overseenConversation } from '../../../src/modules/conversations/dto/oversight.view.js';
import { Actor } from '../../../src/platform/auth/actor.js';
import type { Permission } from '../../../src/platform/auth/permissions.js';
import { DatabaseService } from '../../../src/platform/database/database.service.js';
import type { Tx } from '../../../src/platform/database/db.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { type Person, registerMany } from '../../support/people.js';
import { conversations, create, feedOf, room, setRole, show } from './support.js';

let app: TestApp;
let service: ConversationsService;
let owner: Person;
let member: Person;
beforeAll(async () => {
  app = await createTestApp();
  service = app.app.nest.get(ConversationsService);
  [owner, member] = (await registerMany(app.url, 2)) as [Person, Person];
});
afterAll(() => app.close());

const somebody = (...permissions: Permission[]) =>
  new Actor(randomUUID(), randomUUID(), '', new Set(permissions), [], Infinity);
const reader = somebody('conversations.read');
const moderator = somebody('conversations.moderate');

it('shows positions and nothing that was written', async () => {
  const { id } = await room([owner, member]);
  await owner.post(`${conversations}/${id}/messages`, { clientId: randomUUID(), body: 'a secret' });
  const seen = await service.inspect(reader, id);
  expect(inspectedConversation.parse(seen)).toEqual(seen);
  expect(seen).toMatchObject({ head: { seq: 2, ord: 1, rev: 5 }, memberCount: 2 });
  expect(seen.recent.map(({ rev }) => rev)).toEqual([5, 4, 3, 2, 1]);
  expect(JSON.stringify(seen)).not.toContain('a secret');
});

it('finds conversations by title and type, deleted ones too', async () => {
  const title = randomUUID();
  const kept = await room([owner], { title });
  const deleted = await room([owner], { title, type: 'channel' });
  await owner.delete(`${conversations}/${deleted.id}`);
  const query = { query: title.slice(3, 20), limit: 1 };
  const first = await service.oversee(reader, query);
  const second = await service.oversee(reader, { ...query, cursor: first.next ?? '' });
  expect([...first.items, ...second.items].map((item) => item.id)).toEqual([deleted.id, kept.id]);
  expect(first.items.map((item) => overseenConversation.parse(item))).toEqual(first.items);
  expect((await service.oversee(reader, { ...query, type: 'group' })).items.map((item) => item.id)).toEqual([kept.id]);
});

const inTransaction = <Result>(work: (tx: Tx) => Promise<Result>) => app.app.nest.get(DatabaseService).tx(work);
const remove = (actor: Actor, id: string, userId: string) =>
  inTransaction((tx) => service.removeAsModerator(actor, id, userId, tx));
const end = (actor: Actor, id: string) => inTransaction((tx) => service.deleteAsModerator(actor, id, tx));

it('lets moderators remove members and delete conversations of all types', async () => {
  const { id } = await room([owner, member]);
  await remove(moderator, id, member.id);
  expect((await show(member, id)).status).toBe(404);
  await expect(remove(moderator, id, member.id)).rejects.toMatchObject({ code: 'not_found' });

  const other = await room([owner, member]);
  await expect(remove(moderator, other.id, owner.id)).rejects.toMatchObject({ code: 'last_owner' });
  await setRole(owner, other.id, member.id, 'owner');
  await remove(moderator, other.id, owner.id);
  expect((await show(owner, other.id)).status).toBe(404);

  const pair = (await create(owner, { type: 'direct', memberIds: [member.id] })).body;
  await end(moderator, pair.id);
  expect((await show(owner, pair.id)).status).toBe(404);
  const { revs, head } = await feedOf(app.databaseUrl, pair.id);
  expect(revs.at(-1)).toBe(head);
  expect((await create(owner, { type: 'direct', memberIds: [member.id] })).status).toBe(201);
});

it('needs the permissions', async () => {
  const { id } = await room([owner]);
  const forbidden = { code: 'forbidden' };
  await expect(service.inspect(moderator, id)).rejects.toMatchObject(forbidden);
  await expect(service.oversee(moderator, { limit: 1 })).rejects.toMatchObject(forbidden);
  await expect(end(reader, id)).rejects.toMatchObject(forbidden);
  await expect(remove(reader, id, owner.id)).rejects.toMatchObject(forbidden);
});
