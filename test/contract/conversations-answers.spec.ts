import { randomUUID } from 'node:crypto';
import { ConversationsController } from '../../src/modules/conversations/conversations.controller.js';
import { DraftsController } from '../../src/modules/conversations/drafts.controller.js';
import { InvitesController } from '../../src/modules/conversations/invites.controller.js';
import { MembersController } from '../../src/modules/conversations/members.controller.js';
import { ReceiptsController } from '../../src/modules/conversations/receipts.controller.js';
import { RETURNS, type Returned } from '../../src/platform/http/returns.decorator.js';
import { createTestApp, type TestApp } from '../support/app.js';
import type { Answer } from '../support/http-client.js';
import { type Connection, connect, type Person, registerMany } from '../support/people.js';

let app: TestApp;
let ann: Person;
let bob: Person;
let cid: Person;
let id: string;
beforeAll(async () => {
  app = await createTestApp();
  [ann, bob, cid] = (await registerMany(app.url, 3)) as [Person, Person, Person];
});
afterAll(() => app.close());

const base = '/api/v1/conversations';
const create = (more: object = {}) =>
  ann.post<{ id: string }>(base, { type: 'group', title: 'Room', memberIds: [bob.id], ...more });
beforeEach(async () => {
  id = (await create()).body.id;
});
const invite = (body: object = {}) => ann.post<{ id: string; code: string }>(`${base}/${id}/invites`, body);
const say = () => ann.post(`${base}/${id}/messages`, { clientId: randomUUID(), body: 'hello' });

/** Every route with a call that succeeds. */
const calls: Record<string, () => Promise<Answer<unknown>>> = {
  'ConversationsController.create': () => create({ description: 'all of it', settings: { slowModeSec: 1 } }),
  'ConversationsController.list': () => ann.get(base),
  'ConversationsController.discover': async () => {
    await create({ type: 'channel', visibility: 'public' });
    return bob.get(`${base}/discover?query=Room`);
  },
  'ConversationsController.get': () => bob.get(`${base}/${id}`),
  'ConversationsController.update': () => ann.patch(`${base}/${id}`, { title: 'New' }, { 'if-match': '*' }),
  'ConversationsController.delete': () => ann.delete(`${base}/${id}`),
  'MembersController.join': async () => {
    const channel = await create({ type: 'channel', visibility: 'public' });
    return cid.post(`${base}/${channel.body.id}/join`);
  },
  'MembersController.updateMe': () =>
    bob.patch(`${base}/${id}/me`, { pinned: true, archived: true, mutedUntil: '2100-01-01T00:00:00Z' }),
  'MembersController.list': () => bob.get(`${base}/${id}/members?limit=1`),
  'MembersController.add': () => ann.post(`${base}/${id}/members`, { userIds: [bob.id, cid.id, randomUUID()] }),
  'MembersController.changeRole': () => ann.patch(`${base}/${id}/members/${bob.id}`, { role: 'admin' }),
  'MembersController.remove': () => ann.delete(`${base}/${id}/members/${bob.id}`),
  'InvitesController.list': async () => {
    await invite();
    return ann.get(`${base}/${id}/invites`);
  },
  'InvitesController.create': () => invite({ maxUses: 3 }),
  'InvitesController.revoke': async () => ann.delete(`${base}/${id}/invites/${(await invite()).body.id}`),
  'InvitesController.preview': async () => cid.get(`/api/v1/invites/${(await invite()).body.code}`),
  'InvitesController.accept': async () => cid.post(`/api/v1/invites/${(await invite()).body.code}/accept`),
  'DraftsController.put': () =>
    bob.put(`${base}/${id}/draft`, { body: 'x', replyToSeq: 1, attachmentIds: [randomUUID()] }),
  'DraftsController.list': async () => {
    await bob.put(`${base}/${id}/draft?threadId=${randomUUID()}`, { body: 'x' });
    return bob.get('/api/v1/drafts');
  },
  'DraftsController.remove': () => bob.delete(`${base}/${id}/draft`),
  'ReceiptsController.list': () => bob.get(`${base}/${id}/receipts`),
  'ReceiptsController.put': () => bob.put(`${base}/${id}/receipts`, { read: 1 }),
  'ReceiptsController.explain': async () => {
    await say();
    return bob.get(`${base}/${id}/unread`);
  },
  'ReceiptsController.totals': () => bob.get('/api/v1/unread'),
};

const routes = [
  ConversationsController,
  MembersController,
  InvitesController,
  DraftsController,
  ReceiptsController,
].flatMap((controller) =>
  Object.entries(Object.getOwnPropertyDescriptors(controller.prototype)).flatMap(([name, { value }]) => {
    const returned = Reflect.getMetadata(RETURNS, value as object) as Returned | undefined;
    return returned ? [{ route: `${controller.name}.${name}`, returned }] : [];
  }),
);

it('every route is called', () => {
  expect(Object.keys(calls).toSorted((a, b) => a.localeCompare(b))).toEqual(
    routes.map(({ route }) => route).toSorted((a, b) => a.localeCompare(b)),
  );
});

it.each(routes)('$route answers what it says, and nothing beside it', async ({ route, returned }) => {
  const answer = await calls[route]?.();
  expect(answer?.status).toBe(returned.status);
  if (returned.schema) expect(returned.schema.parse(answer?.body)).toEqual(answer?.body);
  else expect(answer?.body).toBe('');
});

describe('receipts by REST and by socket', () => {
  let socket: Connection;
  beforeAll(async () => {
    socket = await connect(bob);
  });
  afterAll(() => socket.close());

  const both = async (person: Person, conversationId: string, receipt: object) => {
    const rest = await person.put<{ code: string; errors: unknown }>(`${base}/${conversationId}/receipts`, receipt);
    const ack = await socket.emit<object>('receipt', { c: conversationId, ...receipt });
    return { rest, ack };
  };

  it('answer the same', async () => {
    await say();
    const { rest, ack } = await both(bob, id, { read: 2 });
    expect(ack).toEqual({ ok: true, data: rest.body });
  });

  it.each<[string, () => string, object]>([
    ['a conversation that is not', () => randomUUID(), { read: 1 }],
    ['a position that is none', () => id, { read: -1 }],
    ['an unknown member', () => id, { read: 1, seen: 2 }],
  ])('refuse the same: %s', async (_, conversationId, receipt) => {
    const { rest, ack } = await both(bob, conversationId(), receipt);
    expect(rest.status).toBeGreaterThanOrEqual(400);
    expect(ack).toMatchObject({ ok: false, error: { code: rest.body.code, status: rest.status } });
  });
});
