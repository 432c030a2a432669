import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { RateLimiter } from '../../../src/platform/ratelimit/rate-limiter.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { register } from '../../support/people.js';
import { startRedis } from '../../support/redis.js';

// Windows so long that none ends while a test counts.
const LONG = 1_728_000;
const limits = {
  RATE_SCALE: '1',
  RATE_LOGIN: `10/${LONG}`,
  RATE_REGISTER: `20/${LONG}`,
  RATE_LOGIN_IP: `1000/${LONG}`,
  RATE_ANON: `1000/${LONG}`,
};

let first: TestApp;
let second: TestApp;
beforeAll(async () => {
  first = await createTestApp({ ...limits, TRUST_PROXY_HOPS: '1' });
  second = await createTestApp({ ...limits, TRUST_PROXY_HOPS: '1' }, { databaseUrl: first.databaseUrl });
});
afterAll(async () => {
  await second.close();
  await first.close();
});

const password = 'not the password';
const login = (replica: TestApp, identifier: string, address = '192.0.2.1', given = password) =>
  new HttpClient(replica.url).post(
    '/api/v1/auth/login',
    { identifier, password: given },
    { 'x-forwarded-for': address },
  );

it('ten wrong passwords per identifier, over all replicas and addresses, then 429 even for the right one', async () => {
  const person = await register(first.url);
  for (let i = 0; i < 10; i++) {
    expect((await login(i % 2 === 0 ? first : second, person.identifier, `192.0.2.${i}`)).status).toBe(401);
  }
  const refused = await login(second, person.identifier, '192.0.2.99', person.password);
  expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited', rule: 'login' } });
  const seconds = Number(refused.headers.get('retry-after'));
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(Math.ceil(Number(refused.body['retryAfterMs']) / 1000)).toBe(seconds);
});

it('a success starts the count anew', async () => {
  const person = await register(first.url);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 6; i++) await login(first, person.identifier);
    expect((await login(second, person.identifier, undefined, person.password)).status).toBe(200);
  }
});

it('an address may register twenty times an hour; another one is not touched, and a spoofed header does not help', async () => {
  const person = { password: 'some password', displayName: 'X' };
  const attempt = (via: string) =>
    new HttpClient(first.url).post(
      '/api/v1/auth/register',
      { ...person, identifier: `${randomUUID()}@example.com` },
      { 'x-forwarded-for': via },
    );
  const answers = [];
  // What stands left of the trusted proxy's entry is written by the caller.
  for (let i = 0; i < 21; i++) answers.push(await attempt(`10.9.9.${i}, 198.51.100.7`));
  expect(answers.map(({ status }) => status)).toEqual([...Array<number>(20).fill(201), 429]);
  expect((await attempt('198.51.100.8')).status).toBe(201);
});

it('says where a caller stands', async () => {
  const person = await register(second.url);
  const { headers } = await person.get('/api/v1/users/me');
  expect(headers.get('ratelimit-policy')).toBe('"rest";q=600;w=60');
  expect(headers.get('ratelimit')).toMatch(/^"rest";r=599;t=\d+$/);
  const anonymous = await login(first, 'nobody@example.com', '203.0.113.77');
  expect(anonymous.headers.get('ratelimit-policy')).toBe(`"anon";q=1000;w=${LONG}, "login.ip";q=1000;w=${LONG}`);
});

it('a bad token is nobody: guessing is counted per address, at every route that asks for one and at refresh', async () => {
  const guarded = await createTestApp({ ...limits, RATE_ANON: `5/${LONG}` }, { databaseUrl: first.databaseUrl });
  try {
    const guess = new HttpClient(guarded.url, 'a.b.c');
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push(await guess.get('/api/v1/users/me'));
    for (let i = 0; i < 3; i++)
      answers.push(await guess.post('/api/v1/auth/refresh', { refreshToken: 'A'.repeat(43) }));
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 429, 429]);
    expect(answers.at(-1)?.body).toMatchObject({ code: 'rate_limited', rule: 'anon' });
  } finally {
    await guarded.close();
  }
});

it('reports a refusal with hashes alone', async () => {
  const seen: unknown[] = [];
  second.app.nest.get(RateLimiter).onExceeded((violation) => seen.push(violation));
  const identifier = `${randomUUID()}@example.com`;
  for (let i = 0; i < 11; i++) await login(second, identifier);
  expect(seen).toEqual([
    {
      rule: 'login',
      route: 'POST /api/v1/auth/login',
      keyHash: expect.stringMatching(/^[\w-]{22}$/) as string,
      userId: null,
    },
  ]);
  expect(JSON.stringify(seen)).not.toContain(identifier);
});

it('keeps no identifier in the table of counters', async () => {
  const person = await register(first.url);
  await login(first, person.identifier);
  const rows = await query<{ key: string }>(`SELECT key FROM rate_limit_counters`, [], first.databaseUrl);
  expect(rows.length).toBeGreaterThan(0);
  expect(JSON.stringify(rows)).not.toContain(person.identifier);
});

it('while the counters cannot be reached each replica counts alone and allows half', async () => {
  const alone = await createTestApp({
    ...limits,
    DB_LOCK_TIMEOUT_MS: '50',
  });
  const blocker = new Client({ connectionString: alone.databaseUrl });
  await blocker.connect();
  try {
    await blocker.query('BEGIN; LOCK TABLE rate_limit_counters IN ACCESS EXCLUSIVE MODE');
    const answers = [];
    for (let i = 0; i < 7; i++) answers.push((await login(alone, 'nobody@example.com')).status);
    expect(answers).toEqual([401, 401, 401, 401, 401, 429, 429]);
  } finally {
    await blocker.end();
    await alone.close();
  }
});

it('with Redis the count is kept there, for all replicas', async () => {
  const redis = await startRedis();
  const environment = { ...limits, REDIS_URL: redis.url, BUS_DRIVER: 'pg' };
  const [one, two] = [await createTestApp(environment), await createTestApp(environment)];
  try {
    const answers = [];
    for (let i = 0; i < 12; i++) answers.push((await login(i % 2 === 0 ? one : two, 'nobody@example.com')).status);
    expect(answers).toEqual([...Array<number>(10).fill(401), 429, 429]);
    expect(await query(`SELECT key FROM rate_limit_counters`, [], one.databaseUrl)).toEqual([]);
  } finally {
    await two.close();
    await one.close();
    await redis.stop();
  }
});

it('while Redis cannot be reached, the same', async () => {
  const alone = await createTestApp({ ...limits, REDIS_URL: 'redis://127.0.0.1:1', BUS_DRIVER: 'pg' });
  try {
    const answers = [];
    for (let i = 0; i < 7; i++) answers.push((await login(alone, 'nobody@example.com')).status);
    expect(answers).toEqual([401, 401, 401, 401, 401, 429, 429]);
  } finally {
    await alone.close();
  }
});
