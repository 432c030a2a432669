import { randomUUID } from 'node:crypto';
import { DevicesController } from '../../src/modules/notifications/devices.controller.js';
import { InboxController } from '../../src/modules/notifications/inbox.controller.js';
import { QueuesController } from '../../src/modules/notifications/queues.controller.js';
import { WebhooksController } from '../../src/modules/notifications/webhooks.controller.js';
import { RETURNS, type Returned } from '../../src/platform/http/returns.decorator.js';
import { createGroup, send } from '../integration/messages/support.js';
import { FakeProvider, SECRET } from '../integration/notifications/fake-provider.js';
import { decided, giveDevice } from '../integration/notifications/support.js';
import { createAdmin } from '../support/admins.js';
import { createTestApp, type TestApp } from '../support/app.js';
import { query } from '../support/database.js';
import type { Answer } from '../support/http-client.js';
import { type Person, registerMany } from '../support/people.js';

let app: TestApp;
let provider: FakeProvider;
let admin: Person;
let ann: Person;
let bob: Person;
let messageId: string;
let endpoint: string;

beforeAll(async () => {
  provider = await FakeProvider.start();
  app = await createTestApp({
    PUSH_WEBHOOK_URL: provider.url,
    PUSH_WEBHOOK_SECRET: SECRET,
    WEBHOOK_ALLOW_PRIVATE: 'true',
  });
  [ann, bob] = (await registerMany(app.url, 2)) as [Person, Person];
  admin = await createAdmin(app);
  await giveDevice(bob);
  const c = await createGroup(ann, [bob]);
  messageId = (await send(ann, c, { body: 'Bob!', mentions: [bob.id] })).id;
  await decided(bob, messageId);
  endpoint = (await addWebhook()).body.id;
});
afterAll(async () => {
  await app.close();
  await provider.close();
});

const addWebhook = () =>
  admin.post<{ id: string }>('/api/v1/admin/webhooks', { url: provider.url, events: ['message.created'] });
const addLetter = async (): Promise<string> => {
  const id = randomUUID();
  await query(
    `INSERT INTO dead_letters (id, queue, topic, payload, reason, attempts)
     VALUES ($1, 'notify.push', 'work.notify.push', '{"key": "k", "payload": {"pushes": []}}', 'Error: x', 10)`,
    [id],
    app.databaseUrl,
  );
  return id;
};
const delivered = async (): Promise<string> => {
  await admin.post(`/api/v1/admin/webhooks/${endpoint}/test`);
  const { body } = await admin.get<{ items: { id: string }[] }>(`/api/v1/admin/webhooks/${endpoint}/deliveries`);
  return body.items[0]?.id ?? '';
};
const notices = async (): Promise<string[]> =>
  (await bob.get<{ items: { id: string }[] }>('/api/v1/notifications')).body.items.map(({ id }) => id);

/** Every route with a call that succeeds. */
const calls: Record<string, () => Promise<Answer<unknown>>> = {
  'DevicesController.config': () => bob.get('/api/v1/push/config'),
  'DevicesController.list': () => bob.get('/api/v1/devices'),
  'DevicesController.put': () =>
    bob.put('/api/v1/devices/tablet', {
      provider: 'webhook',
      token: randomUUID(),
      platform: 'ios',
      appVersion: '1.2.3',
      locale: 'de-DE',
      enabled: false,
    }),
  'DevicesController.remove': () => bob.delete('/api/v1/devices/tablet'),
  'DevicesController.test': () => bob.post('/api/v1/devices/phone/test'),
  'InboxController.list': () => bob.get('/api/v1/notifications?unread=true&limit=1'),
  'InboxController.read': async () => bob.post('/api/v1/notifications/read', { ids: await notices() }),
  'InboxController.explain': () => bob.get(`/api/v1/notifications/explain?messageId=${messageId}&deviceId=phone`),
  'InboxController.dismiss': async () => bob.delete(`/api/v1/notifications/${(await notices())[0]}`),
  'QueuesController.depths': async () => {
    await addLetter();
    return admin.get('/api/v1/admin/queues');
  },
  'QueuesController.list': async () => {
    await addLetter();
    return admin.get('/api/v1/admin/dead-letters?queue=notify.push&limit=1');
  },
  'QueuesController.replay': async () => admin.post(`/api/v1/admin/dead-letters/${await addLetter()}/replay`),
  'QueuesController.remove': async () => admin.delete(`/api/v1/admin/dead-letters/${await addLetter()}`),
  'QueuesController.replayDecisions': () =>
    admin.post('/api/v1/admin/notifications/replay', { since: new Date(0).toISOString(), reason: 'provider_error' }),
  'QueuesController.explain': () =>
    admin.get(`/api/v1/admin/notifications/explain?messageId=${messageId}&userId=${bob.id}`),
  'WebhooksController.list': () => admin.get('/api/v1/admin/webhooks'),
  'WebhooksController.create': () => addWebhook(),
  'WebhooksController.update': () => admin.patch(`/api/v1/admin/webhooks/${endpoint}`, { description: 'ours' }),
  'WebhooksController.remove': async () => admin.delete(`/api/v1/admin/webhooks/${(await addWebhook()).body.id}`),
  'WebhooksController.test': () => admin.post(`/api/v1/admin/webhooks/${endpoint}/test`),
  'WebhooksController.deliveries': async () => {
    await delivered();
    return admin.get(`/api/v1/admin/webhooks/${endpoint}/deliveries?limit=1`);
  },
  'WebhooksController.replay': async () => admin.post(`/api/v1/admin/webhook-deliveries/${await delivered()}/replay`),
};

const routes = [DevicesController, InboxController, QueuesController, WebhooksController].flatMap((controller) =>
  Object.entries(Object.getOwnPropertyDescriptors(controller.prototype)).flatMap(([name, { value }]) => {
    const returned = Reflect.getMetadata(RETURNS, value as object) as Returned | undefined;
    return returned ? [{ route: `${controller.name}.${name}`, returned }] : [];
  }),
);

it('every route is called', () => {
  expect(Object.keys(calls).toSorted()).toEqual(routes.map(({ route }) => route).toSorted());
});

it.each(routes)('$route answers what it says, and nothing beside it', async ({ route, returned }) => {
  const answer = await calls[route]?.();
  expect(answer?.status).toBe(returned.status);
  if (returned.schema) expect(returned.schema.parse(answer?.body)).toEqual(answer?.body);
  else expect(answer?.body).toBe('');
});

it('what is unread is counted alike everywhere', async () => {
  const c = await createGroup(ann, [bob]);
  await send(ann, c, { body: 'again', mentions: [bob.id] });
  const unread = async () =>
    (await bob.get<{ items: { kind: string; conversationId: string }[] }>('/api/v1/notifications?unread=true')).body
      .items;
  // Of both, and nothing else is under way.
  for (const awaited of ['added', 'mention'])
    while (!(await unread()).some(({ kind, conversationId }) => kind === awaited && conversationId === c))
      await new Promise((resolve) => setTimeout(resolve, 20));
  const before = (await unread()).length;
  const totals = await bob.get<{ notifications: number }>('/api/v1/unread');
  expect(totals.body.notifications).toBe(before);
  const [newest] = await notices();
  const { body } = await bob.post<{ unread: number }>('/api/v1/notifications/read', { ids: [newest] });
  expect(body).toEqual({ unread: before - 1 });
  expect((await bob.post('/api/v1/notifications/read', { upTo: newest })).body).toEqual({ unread: 0 });
  expect(await unread()).toEqual([]);
});

it('preferences decide who rings, and the reason says so', async () => {
  const { body } = await bob.get<{ notifications: object }>('/api/v1/users/me/preferences');
  const silent = { ...body, notifications: { ...body.notifications, push: false } };
  expect((await bob.put('/api/v1/users/me/preferences', silent, { 'if-match': '*' })).status).toBe(200);
  const message = await send(ann, await createGroup(ann, [bob]), 'nobody hears');
  expect((await decided(bob, message.id)).verdict).toEqual({ notify: false, reason: 'level' });
});

it('the archive of a person holds their devices, their list and why they rang, and no token', async () => {
  const { body } = await bob.post<{ url: string }>('/api/v1/users/me/exports');
  const archive = await (await fetch(new URL(body.url, app.url))).text();
  const lines = archive
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string });
  expect(lines).toContainEqual(expect.objectContaining({ type: 'device', deviceId: 'phone', provider: 'webhook' }));
  expect(lines).toContainEqual(expect.objectContaining({ type: 'notification', kind: 'mention' }));
  expect(lines).toContainEqual(
    expect.objectContaining({ type: 'push', messageId, deviceId: 'phone', decision: 'sent' }),
  );
  expect(archive).not.toMatch(/token/i);
});
