import { randomUUID } from 'node:crypto';
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server as TcpServer, type Socket } from 'node:net';
import { BreakerOpenError } from '../../../src/platform/lifecycle/breaker.js';
import { Storage } from '../../../src/platform/storage/storage.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { type Person, register } from '../../support/people.js';
import { PROBE } from './support.js';

/** Takes connections and never says a word. */
const mute = new Set<Socket>();
const redis: TcpServer = createTcp((socket) => void mute.add(socket.on('error', () => undefined)));
let reviews = 0;
let broken = true;
const moderation: HttpServer = createHttp((request, response) => {
  reviews += 1;
  request.resume();
  if (broken) response.writeHead(500).end();
  else response.setHeader('content-type', 'application/json').end('{"action":"allow"}');
});
const portOf = (server: TcpServer) => (server.address() as AddressInfo).port;

let app: TestApp;
let ada: Person;
let room: string;
beforeAll(async () => {
  await Promise.all(
    [redis, moderation].map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))),
  );
  app = await createTestApp({
    HEALTH_PROBE_TOKEN: 'probe-token',
    BUS_DRIVER: 'memory',
    REDIS_URL: `redis://127.0.0.1:${portOf(redis)}`,
    MODERATION_HOOK_URL: `http://127.0.0.1:${portOf(moderation)}`,
    S3_BUCKET_NAME: 'files',
    S3_ENDPOINT: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
  });
  ada = await register(app.url);
  const { body } = await ada.post('/api/v1/conversations', { type: 'group', title: 'Team', memberIds: [] });
  room = String(body['id']);
});
afterAll(async () => {
  await app.close();
  for (const socket of mute) socket.destroy();
  await Promise.all([redis, moderation].map((server) => new Promise((done) => server.close(done))));
});

const send = () => ada.post(`/api/v1/conversations/${room}/messages`, { clientId: randomUUID(), body: 'Hello' });
const breakers = async () =>
  (await ada.get<{ breakers: Record<string, string> }>('/health/detailed', PROBE)).body.breakers;

it('stops asking a hook that fails, and goes on without it', async () => {
  for (let i = 0; i < 8; i++) expect((await send()).status).toBe(201);
  expect(reviews).toBe(5);
  expect(await breakers()).toMatchObject({ moderation: 'open' });
  const metrics = await ada.get<string>('/metrics');
  expect(metrics.body).toMatch(/^breaker_state\{dependency="moderation"\} 2$/m);
});

it('asks again after a while, once, and is convinced by one answer', async () => {
  broken = false;
  const before = reviews;
  while (reviews === before) expect((await send()).status).toBe(201);
  expect(await breakers()).toMatchObject({ moderation: 'closed' });
});

it('counts alone while the shared count hangs, without waiting for it each time', async () => {
  for (let i = 0; i < 6; i++) expect((await ada.get('/api/v1/users/me')).status).toBe(200);
  expect(await breakers()).toMatchObject({ redis: 'open' });
});

it('refuses files at once while their store is away, which degrades and nothing more', async () => {
  const storage = app.app.nest.get(Storage);
  for (let i = 0; i < 5; i++) await expect(storage.check()).rejects.toThrow('not available');
  expect(await breakers()).toMatchObject({ storage: 'open' });
  const refused = await storage.check().catch((error: Error) => error.cause);
  expect(refused).toBeInstanceOf(BreakerOpenError);
  const file = { name: 'a.png', size: 100, mime: 'image/png', purpose: 'attachment' };
  expect(await ada.post('/api/v1/media/uploads', file)).toMatchObject({
    status: 503,
    body: { code: 'dependency_unavailable' },
  });
  expect(await ada.get('/ready')).toMatchObject({ status: 200, body: { status: 'degraded' } });
});
