import { randomUUID } from 'node:crypto';
import { Load } from '../../../src/platform/lifecycle/load.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import { connect, type Connection, type Person, register } from '../../support/people.js';

let app: TestApp;
let load: Load;
let ada: Person;
let ben: Person;
let conversation: string;
let socket: Connection;
let pressure = 0;

beforeAll(async () => {
  app = await createTestApp({ LOAD_SHEDDING: 'true' });
  load = app.app.nest.get(Load);
  load.watch({ name: 'test', limits: [10, 20, 30], read: () => pressure });
  [ada, ben] = [await register(app.url, 'Ada'), await register(app.url, 'Ben')];
  const { body } = await ada.post('/api/v1/conversations', { type: 'group', title: 'Team', memberIds: [ben.id] });
  conversation = String(body['id']);
  socket = await connect(ada);
});
afterAll(async () => {
  socket.close();
  await app.close();
});

/** As if the last seconds had been like this, however busy the machine of the test is. */
function become(level: 0 | 1 | 2 | 3): void {
  pressure = 0;
  // Takes what was measured so far; the ticks that follow at once measure nothing new.
  load.tick();
  load.delay = { p99: 0, max: 0 };
  for (let i = 0; i < 30; i++) load.tick();
  pressure = level * 10 + 1;
  if (level > 0) for (let i = 0; i < 5; i++) load.tick();
  expect(load.level).toBe(level);
}
const room = () => `/api/v1/conversations/${conversation}`;
const calls = {
  search: () => ada.get('/api/v1/search/messages?q=word'),
  presence: () => ada.get(`/api/v1/presence?ids=${ben.id}`),
  history: () => ada.get(`${room()}/messages`),
  receipt: () => ada.send('PUT', `${room()}/receipts`, { read: 1 }, {}),
  send: () => ada.post(`${room()}/messages`, { clientId: randomUUID(), body: 'Hello' }),
  sync: () => ada.post('/api/v1/sync', {}),
  health: () => ada.get('/health'),
};
const refusedAt: Record<keyof typeof calls, number> = {
  search: 1,
  presence: 1,
  history: 2,
  receipt: 2,
  send: 3,
  sync: 3,
  health: 4,
};

it.each([0, 1, 2, 3] as const)('at level %d the dispensable is refused and the rest is served', async (level) => {
  become(level);
  for (const [name, call] of Object.entries(calls)) {
    become(level);
    const { status, body, headers } = (await call()) as Awaited<ReturnType<HttpClient['get']>>;
    const expected = level >= refusedAt[name as keyof typeof calls];
    expect({ name, refused: status === 503 }).toEqual({ name, refused: expected });
    if (!expected) continue;
    expect(body).toMatchObject({ code: 'overloaded', retryAfterMs: expect.any(Number) });
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(2);
  }
  become(0);
});

it('sheds commands of sockets alike', async () => {
  const refusal = { ok: false, error: { code: 'overloaded' } };
  become(1);
  expect(await socket.emit('presence.watch', { userIds: [ben.id] })).toMatchObject(refusal);
  expect(await socket.emit('typing', { c: conversation, on: true })).toMatchObject(refusal);
  become(1);
  expect(await socket.emit('receipt', { c: conversation, read: 1 })).not.toMatchObject(refusal);
  become(2);
  expect(await socket.emit('receipt', { c: conversation, read: 1 })).toMatchObject(refusal);
  become(2);
  expect((await socket.emit('message.send', { c: conversation, clientId: randomUUID(), body: 'Hello' })).ok).toBe(true);
  become(3);
  expect(await socket.emit('message.send', { c: conversation, clientId: randomUUID(), body: 'Hello' })).toMatchObject(
    refusal,
  );
  become(0);
  expect((await socket.emit('presence.watch', { userIds: [ben.id] })).ok).toBe(true);
});

it('the latch lowers readiness, takes no new socket, keeps the open ones, and opens again', async () => {
  become(3);
  const api = new HttpClient(app.url);
  expect(await api.get('/ready')).toMatchObject({
    status: 503,
    body: { status: 'not_ready', checks: { load: { status: 'down', level: 3 } } },
  });
  become(3);
  await expect(connect(ben)).rejects.toThrow('websocket error');
  expect(socket.socket.connected).toBe(true);
  become(0);
  expect((await api.get('/ready')).status).toBe(200);
  (await connect(ben)).close();
});

it('tells nobody to go when shedding is off', async () => {
  const calm = await createTestApp({}, { databaseUrl: app.databaseUrl });
  const its = calm.app.nest.get(Load);
  its.watch({ name: 'test', limits: [10, 20, 30], read: () => 99 });
  for (let i = 0; i < 5; i++) its.tick();
  expect(its.level).toBe(3);
  expect((await new HttpClient(calm.url, ada.accessToken).get('/api/v1/search/messages?q=word')).status).toBe(200);
  expect((await new HttpClient(calm.url).get('/ready')).status).toBe(200);
  await calm.close();
});
