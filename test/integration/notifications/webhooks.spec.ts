import { createAdmin } from '../../support/admins.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { type Person, register } from '../../support/people.js';
import { createGroup, send } from '../messages/support.js';
import { FakeProvider, verified } from './fake-provider.js';

let app: TestApp;
let host: FakeProvider;
let admin: Person;
beforeAll(async () => {
  host = await FakeProvider.start();
  app = await createTestApp({ WEBHOOK_ALLOW_PRIVATE: 'true' });
  admin = await createAdmin(app);
});
afterAll(async () => {
  await app.close();
  await host.close();
});
beforeEach(async () => {
  host.received.length = 0;
  host.reply = () => ({ status: 200 });
  await query('DELETE FROM webhook_endpoints', [], app.databaseUrl);
});

interface Webhook {
  id: string;
  secret: string;
  enabled: boolean;
  failures: number;
  disabledAt: string | null;
}
interface Delivery {
  id: string;
  type: string;
  state: string;
  attempts: number;
  lastStatus: number | null;
  nextAt: string | null;
}
const create = async (events: string[], url = `${host.url}/hook`) =>
  (await admin.post<Webhook>('/api/v1/admin/webhooks', { url, events })).body;
const listed = async () => (await admin.get<{ items: Webhook[] }>('/api/v1/admin/webhooks')).body.items;
const deliveries = async (id: string) =>
  (await admin.get<{ items: Delivery[] }>(`/api/v1/admin/webhooks/${id}/deliveries`)).body.items;
/** Looks until the deliveries satisfy the test. */
async function until(id: string, test: (items: Delivery[]) => boolean): Promise<Delivery[]> {
  for (let i = 0; i < 400; i++) {
    const items = await deliveries(id);
    if (test(items)) return items;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`still ${JSON.stringify(await deliveries(id))}`);
}
const due = () => query(`UPDATE webhook_deliveries SET next_at = now() WHERE state = 'pending'`, [], app.databaseUrl);

it('tells the host application what it subscribed to, signed, with ids and no bodies', async () => {
  const { id, secret } = await create(['message.created', 'reaction.changed']);
  const [ada, bob] = [await register(app.url, 'Ada'), await register(app.url, 'Bob')];
  const c = await createGroup(ada, [bob]);
  const message = await send(ada, c, 'the body stays here');
  const [request] = await host.until(1, ({ body }) => body.includes(message.id));
  if (!request) throw new Error('nothing came');
  expect(verified(request, secret)).toEqual({
    id: expect.stringMatching(/^outbox-\d+$/),
    type: 'message.created',
    createdAt: expect.any(String),
    apiVersion: 'v1',
    data: { id: message.id, conversationId: c, seq: message.seq, rev: message.rev },
  });
  expect(JSON.stringify(await query('SELECT * FROM webhook_endpoints', [], app.databaseUrl))).not.toContain(secret);
  const done = await until(id, (items) => items.length > 0 && items.every(({ state }) => state === 'delivered'));
  expect(new Set(done.map(({ type }) => type))).toEqual(new Set(['message.created']));
});

it('tries again with the same event id, and rests while the endpoint is broken', async () => {
  const { id, secret } = await create(['user.created']);
  host.reply = () => ({ status: 500 });
  await admin.post(`/api/v1/admin/webhooks/${id}/test`);
  await host.until(1);
  const [failed] = await until(id, ([first]) => first?.lastStatus === 500);
  expect(failed).toMatchObject({ state: 'pending', attempts: 1 });
  expect(Date.parse(failed?.nextAt ?? '')).toBeGreaterThan(Date.now());
  host.reply = () => ({ status: 204 });
  await due();
  const requests = await host.until(2);
  expect(new Set(requests.map((request) => verified(request, secret).id)).size).toBe(1);
  await until(id, ([first]) => first?.state === 'delivered');
  expect(await listed()).toMatchObject([{ id, failures: 0, enabled: true }]);
});

it('after ten tries it is given up, and can be replayed', async () => {
  const { id } = await create(['user.created']);
  host.reply = () => ({ status: 503 });
  await admin.post(`/api/v1/admin/webhooks/${id}/test`);
  await until(id, ([first]) => first?.attempts === 1 && first.lastStatus === 503);
  await query('UPDATE webhook_deliveries SET attempts = 9, next_at = now()', [], app.databaseUrl);
  const [failed] = await until(id, ([first]) => first?.state === 'failed');
  expect(failed).toMatchObject({ attempts: 10, nextAt: null });
  host.reply = () => ({ status: 200 });
  expect((await admin.post(`/api/v1/admin/webhook-deliveries/${failed?.id}/replay`)).status).toBe(202);
  await until(id, ([first]) => first?.state === 'delivered');
});

it.each([
  ['410', async () => void (host.reply = () => ({ status: 410 }))],
  [
    'three days of failure',
    async () => {
      host.reply = () => ({ status: 500 });
      await query(`UPDATE webhook_deliveries SET created_at = now() - interval '73 hours'`, [], app.databaseUrl);
    },
  ],
])('%s disables the endpoint; enabling it starts anew', async (_, arrange) => {
  const { id } = await create(['user.created']);
  host.reply = () => ({ status: 500 });
  await admin.post(`/api/v1/admin/webhooks/${id}/test`);
  await until(id, ([first]) => first?.lastStatus === 500);
  expect(await listed()).toMatchObject([{ enabled: true, failures: 1 }]);
  await arrange();
  await due();
  await until(id, ([first]) => first?.attempts === 2);
  while ((await listed())[0]?.enabled) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await listed()).toMatchObject([{ disabledAt: expect.any(String) }]);
  const { body } = await admin.patch(`/api/v1/admin/webhooks/${id}`, { enabled: true });
  expect(body).toMatchObject({ enabled: true, disabledAt: null, failures: 0 });
});

it('follows no redirect, waits five seconds for one that hangs, and the others do not wait (F63)', async () => {
  const [away, slow, good] = [
    await create(['webhook.test'], `${host.url}/away`),
    await create(['webhook.test'], `${host.url}/slow`),
    await create(['webhook.test'], `${host.url}/good`),
  ];
  host.reply = ({ path }) =>
    path === '/away'
      ? { status: 302, headers: { location: `${host.url}/elsewhere` } }
      : path === '/slow'
        ? undefined
        : { status: 200 };
  for (const { id } of [away, slow, good]) await admin.post(`/api/v1/admin/webhooks/${id}/test`);
  await until(good.id, ([first]) => first?.state === 'delivered');
  await until(away.id, ([first]) => first?.lastStatus === 302);
  while ((await listed()).find(({ id }) => id === slow.id)?.failures === 0)
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await deliveries(slow.id)).toMatchObject([{ state: 'pending', attempts: 1, lastStatus: null }]);
  expect(host.received.map(({ path }) => path)).not.toContain('/elsewhere');
});

it('reaches no private address unless allowed, whatever the URL looks like and whatever the DNS says later', async () => {
  const strict = await createTestApp({}, { databaseUrl: app.databaseUrl });
  const there = Object.assign(Object.create(Object.getPrototypeOf(admin) as object) as Person, admin, {
    url: strict.url,
  });
  const post = (url: string) => there.post('/api/v1/admin/webhooks', { url, events: ['user.created'] });
  for (const url of [
    'http://127.0.0.1:1/',
    'http://localhost/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://192.168.1.1/',
    'http://[fd00::1]/',
    'ftp://example.com/',
  ])
    expect([url, (await post(url)).body['code']]).toEqual([url, 'validation_failed']);
  await strict.close();
});

it('needs the permission, keeps to 20, and is audited', async () => {
  const user = await register(app.url);
  expect((await user.get('/api/v1/admin/webhooks')).status).toBe(403);
  expect((await user.post('/api/v1/admin/webhooks', { url: host.url, events: ['user.created'] })).status).toBe(403);
  const url = `${host.url}/many`;
  const answers = await Promise.all(
    Array.from({ length: 22 }, () => admin.post('/api/v1/admin/webhooks', { url, events: ['report.created'] })),
  );
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(20);
  expect(answers.find(({ status }) => status !== 201)?.body).toMatchObject({ code: 'limit_exceeded', max: 20 });
  const id = String(answers.find(({ status }) => status === 201)?.body['id']);
  expect((await admin.delete(`/api/v1/admin/webhooks/${id}`)).status).toBe(204);
  for (let found = false; !found;) {
    const { body } = await admin.get<{ items: { action: string; targetId: string }[] }>('/api/v1/admin/audit-logs');
    found = body.items.some(({ action, targetId }) => action === 'webhook.delete' && targetId === id);
  }
});
