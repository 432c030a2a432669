import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { connect, type Person, register } from '../../support/people.js';
import { Browser, FakeProvider, SECRET, verified, verifyVapid } from './fake-provider.js';

let app: TestApp;
let provider: FakeProvider;
let ada: Person;
let bob: Person;
beforeAll(async () => {
  provider = await FakeProvider.start();
  app = await createTestApp({
    PUSH_WEBHOOK_URL: `${provider.url}/push`,
    PUSH_WEBHOOK_SECRET: SECRET,
    WEBHOOK_ALLOW_PRIVATE: 'true',
  });
});
afterAll(async () => {
  await app.close();
  await provider.close();
});
beforeEach(async () => {
  provider.received.length = 0;
  [ada, bob] = [await register(app.url, 'Ada'), await register(app.url, 'Bob')];
});

const webhook = (token: string, more: object = {}) => ({ provider: 'webhook', token, platform: 'ios', ...more });
const ids = async (person: Person): Promise<string[]> =>
  (await person.get<{ items: { deviceId: string }[] }>('/api/v1/devices')).body.items.map((device) => device.deviceId);

it('registers, replaces and removes a device, and never shows its token', async () => {
  const token = `token-${randomUUID()}`;
  const { status, body } = await ada.put('/api/v1/devices/phone', webhook(token, { appVersion: '1.2', locale: 'de' }));
  expect(status).toBe(200);
  expect(body).toEqual({
    deviceId: 'phone',
    provider: 'webhook',
    platform: 'ios',
    appVersion: '1.2',
    locale: 'de',
    enabled: true,
    lastOkAt: null,
    createdAt: expect.any(String),
  });
  expect((await ada.put('/api/v1/devices/phone', webhook(token, { enabled: false }))).body).toMatchObject({
    enabled: false,
    appVersion: null,
  });
  expect(JSON.stringify(await query('SELECT * FROM push_devices', [], app.databaseUrl))).not.toContain(token);
  expect((await ada.delete('/api/v1/devices/phone')).status).toBe(204);
  expect((await ada.delete('/api/v1/devices/phone')).status).toBe(204);
  expect(await ids(ada)).toEqual([]);
});

it('a token moves to whoever registers it last, also when many do at once', async () => {
  const token = `token-${randomUUID()}`;
  await ada.put('/api/v1/devices/phone', webhook(token));
  await bob.put('/api/v1/devices/phone', webhook(token));
  expect([await ids(ada), await ids(bob)]).toEqual([[], ['phone']]);
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, i) => (i % 2 ? ada : bob).put(`/api/v1/devices/d${i}`, webhook(token))),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  expect([...(await ids(ada)), ...(await ids(bob))]).toHaveLength(1);
});

it('refuses what is not configured, what does not fit, and more than 20', async () => {
  const put = (body: object) => ada.put('/api/v1/devices/phone', body);
  expect((await put({ provider: 'fcm', token: 'x', platform: 'android' })).body).toMatchObject({
    code: 'provider_unavailable',
  });
  for (const body of [
    { provider: 'webpush', token: 'x', platform: 'web' },
    { provider: 'webhook', platform: 'web' },
    { provider: 'carrier-pigeon', token: 'x', platform: 'web' },
    webhook('x', { subscription: new Browser(provider.url).subscription() }),
  ])
    expect((await put(body)).body).toMatchObject({ code: 'validation_failed' });
  const answers = await Promise.all(
    Array.from({ length: 25 }, (_, i) => ada.put(`/api/v1/devices/d${i}`, webhook(`t${i}-${randomUUID()}`))),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
  expect(answers.find(({ status }) => status !== 200)?.body).toMatchObject({
    code: 'limit_exceeded',
    limit: 'devices',
    max: 20,
  });
});

it('tells the user’s sockets, and those who ask for changes', async () => {
  const socket = await connect(ada);
  await ada.put('/api/v1/devices/phone', webhook(randomUUID()));
  const added = await socket.until<{ t: string; rev: number; v: object }>('user.change', ({ t }) => t === 'device');
  expect(added.v).toMatchObject({ deviceId: 'phone', deleted: false });
  await ada.delete('/api/v1/devices/phone');
  await socket.until<{ v: { deleted: boolean } }>('user.change', ({ v }) => v.deleted);
  const { body } = await ada.get<{ changes: { t: string; v: object }[] }>('/api/v1/users/me/changes?after=0');
  expect(body.changes.filter(({ t }) => t === 'device').map(({ v }) => v)).toEqual([
    expect.objectContaining({ deviceId: 'phone', deleted: true }),
  ]);
  socket.close();
});

it('sends a test through the webhook, signed', async () => {
  const token = `token-${randomUUID()}`;
  await ada.put('/api/v1/devices/phone', webhook(token));
  expect((await ada.post('/api/v1/devices/phone/test')).status).toBe(202);
  const [request] = await provider.until(1);
  if (!request) throw new Error('nothing came');
  expect(verified(request)).toMatchObject({
    type: 'push.notify',
    apiVersion: 'v1',
    data: { userId: ada.id, deviceId: 'phone', token, title: 'Parley', badge: null, collapseKey: 'test' },
  });
  expect((await bob.post('/api/v1/devices/phone/test')).status).toBe(404);
});

it('sends a test by Web Push which only the browser can read, signed with the published key', async () => {
  const { body } = await ada.get<{ providers: string[]; webPush: { vapidPublicKey: string } }>('/api/v1/push/config');
  expect(body.providers).toEqual(['webpush', 'webhook']);
  const browser = new Browser(`${provider.url}/browser`);
  const subscription = browser.subscription();
  await ada.put('/api/v1/devices/tab', { provider: 'webpush', subscription, platform: 'web' });
  await ada.post('/api/v1/devices/tab/test');
  const [request] = await provider.until(1, ({ path }) => path === '/browser');
  if (!request) throw new Error('nothing came');
  expect(browser.decrypt(request.body)).toMatchObject({ kind: 'notify', title: 'Parley', collapseKey: 'test' });
  expect(request.headers).toMatchObject({ 'content-encoding': 'aes128gcm', urgency: 'high', ttl: '86400' });
  expect(request.headers['topic']).toMatch(/^[A-Za-z0-9_-]{1,32}$/);
  const claims = await verifyVapid(request, body.webPush.vapidPublicKey, provider.url);
  expect(claims.sub).toMatch(/^(mailto|https):/);
});

it('another replica has the same key, which is stored sealed', async () => {
  const second = await createTestApp({}, { databaseUrl: app.databaseUrl });
  const key = async (url: string) =>
    (
      await Object.assign(Object.create(Object.getPrototypeOf(ada) as object) as Person, ada, { url }).get<{
        webPush: { vapidPublicKey: string };
      }>('/api/v1/push/config')
    ).body.webPush.vapidPublicKey;
  expect(await key(second.url)).toBe(await key(app.url));
  await second.close();
  const rows = await query<{ enc: string }>(
    `SELECT private_enc AS enc FROM signing_keys WHERE kid = 'kept:vapid'`,
    [],
    app.databaseUrl,
  );
  expect(rows).toHaveLength(1);
  expect(rows[0]?.enc).not.toContain('privateKey');
});
