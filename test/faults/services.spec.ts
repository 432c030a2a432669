import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { direct, send } from '../integration/messages/support.js';
import { eventually } from '../support/eventually.js';
import { HttpClient } from '../support/http-client.js';
import { connect, type Connection, type Person, register } from '../support/people.js';
import { type RedisServer, startRedis } from '../support/redis.js';
import { startServer, type TestServer } from '../support/postgres.js';
import { type ServerProcess, startServerProcess } from '../support/server-process.js';
import { startS3, type TestS3 } from '../support/s3.js';
import { TestSqs } from '../support/sqs.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** All that is not the database hangs when the server starts (the worst way to be down), and comes back later. */
let postgres: TestServer;
let redis: RedisServer;
let s3: TestS3;
let sqs: TestSqs;
const ways: TcpProxy[] = [];
let server: ServerProcess;
let ada: Person;
let ben: Person;
let socket: Connection;
let conversation: string;

const wayTo = async (url: string): Promise<string> => {
  const way = await TcpProxy.start({ host: '127.0.0.1', port: Number(new URL(url).port) });
  ways.push(way);
  way.set('blackhole');
  const there = new URL(url);
  there.port = String(way.port);
  return there.href.replace(/\/$/, '');
};

beforeAll(async () => {
  [postgres, redis, s3, sqs] = await Promise.all([
    startServer({ settings: { fsync: 'off', full_page_writes: 'off' } }),
    startRedis(),
    startS3(),
    TestSqs.start(),
  ]);
  sqs.set('slow');
  const webhook = await wayTo(s3.url);
  server = await startServerProcess({
    DATABASE_URL: postgres.url,
    APP_SECRET: 'services-secret-services-secret-services',
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    RATE_SCALE: '1',
    RATE_LOGIN: '10/1728000',
    RATE_LOGIN_IP: '10000/1728000',
    RATE_ANON: '10000/1728000',
    ...s3.environment,
    ...sqs.environment,
    S3_ENDPOINT: await wayTo(s3.url),
    REDIS_URL: await wayTo(redis.url),
    WEBHOOK_ALLOW_PRIVATE: 'true',
    ...Object.fromEntries(['OTP', 'PUSH', 'ALERT'].map((name) => [`${name}_WEBHOOK_URL`, `${webhook}/hook`])),
    ...Object.fromEntries(['OTP', 'PUSH', 'ALERT'].map((name) => [`${name}_WEBHOOK_SECRET`, randomUUID()])),
  });
  [ada, ben] = [await register(server.url, 'Ada'), await register(server.url, 'Ben')];
  conversation = await direct(ada, ben);
  socket = await connect(ben);
});
afterAll(async () => {
  socket.close();
  await server.stop();
  for (const way of ways) await way.stop();
  await Promise.all([sqs.stop(), s3.stop(), redis.stop(), postgres.stop()]);
});
/** The server that started without them is the one that goes on. */
afterEach(() => expect(server.child.exitCode).toBeNull());

const ready = () =>
  new HttpClient(server.url).get<{ status: string; checks: Record<string, { status: string }> }>('/ready');
const states = (checks: Record<string, { status: string }>) =>
  Object.fromEntries(Object.entries(checks).map(([name, { status }]) => [name, status]));

async function messagesFlow(): Promise<void> {
  const { rev } = await send(ada, conversation, 'unaffected');
  await socket.until('change', (change: { c: string; rev: number }) => change.c === conversation && change.rev === rev);
}

it('starts with storage, queue, bus, counters and webhooks hanging: ready, degraded, and messages flow', async () => {
  await eventually(async () => {
    const { status, body } = await ready();
    expect({ status, ready: body.status, checks: states(body.checks) }).toMatchObject({
      status: 200,
      ready: 'degraded',
      checks: {
        database: 'up',
        schema: 'up',
        storage: 'degraded',
        queue: 'degraded',
        bus: 'degraded',
        limits: 'degraded',
      },
    });
  });
  expect(await new HttpClient(server.url).get('/health')).toMatchObject({ status: 200, body: { phase: 'ready' } });
  await messagesFlow();
  expect(await ada.post('/api/v1/media/uploads', { name: 'a.txt', mime: 'text/plain', size: 4 })).toMatchObject({
    status: 503,
    body: { code: 'dependency_unavailable' },
  });
});

it('takes them into use when they come back, without a restart', async () => {
  for (const way of ways) {
    way.set('pass');
    way.reset();
  }
  sqs.set('none');
  await eventually(async () => expect((await ready()).body.status).toBe('ok'), 60_000);
  await messagesFlow();
});

const attempts = async (times: number): Promise<number[]> => {
  const identifier = `${randomUUID()}@example.com`;
  const answers: number[] = [];
  for (let i = 0; i < times; i++) {
    const { status } = await new HttpClient(server.url).post('/api/v1/auth/login', { identifier, password: 'wrong' });
    answers.push(status);
  }
  return answers;
};

it.each([
  ['out of memory', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
  ['a replica that takes no writes', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
])('F37 Redis %s: degraded, messages flow, this replica counts alone and allows half', async (_, harm, mend) => {
  const admin = new Redis(redis.url);
  try {
    await admin.call(...(harm as [string, ...string[]]));
    await eventually(async () => {
      const { status, body } = await ready();
      expect({ status, limits: states(body.checks)['limits'] }).toEqual({ status: 200, limits: 'degraded' });
    });
    expect(await attempts(7)).toEqual([401, 401, 401, 401, 401, 429, 429]);
    await messagesFlow();
  } finally {
    await admin.call(...(mend as [string, ...string[]]));
    admin.disconnect();
  }
  await eventually(async () => expect((await ready()).body.status).toBe('ok'));
  // The breaker may rest a little longer.
  await eventually(async () => expect(await attempts(11)).toEqual([...Array<number>(10).fill(401), 429]));
});
