import { once } from 'node:events';
import { Redis } from 'ioredis';
import { newId } from '../../../src/platform/clock/clock.js';
import { loadConfig } from '../../../src/platform/config/config.js';
import { RedisBus } from '../../../src/platform/events/redis-bus.driver.js';
import { createLog } from '../../../src/platform/logging/create-log.js';
import type { Log } from '../../../src/platform/logging/log.js';
import { RateLimiter } from '../../../src/platform/ratelimit/rate-limiter.js';
import { createTestApp } from '../../support/app.js';
import { Authority } from '../../support/certificates.js';
import { query } from '../../support/database.js';
import { type RedisCluster, type RedisServer, startRedisCluster, startRedisTls } from '../../support/redis.js';
import { Ear, eventOf, eventually } from './bus-conformance.js';

let log: Log;
beforeAll(async () => {
  log = await createLog({ level: 'silent', pretty: false, base: {} });
});

/** A bus as the configuration asks for it. */
async function busFor(environment: Record<string, string>): Promise<RedisBus> {
  const config = await loadConfig({ NODE_ENV: 'test', DATABASE_URL: 'postgresql://a@b/c', ...environment });
  const bus = new RedisBus(config.REDIS_URL ?? '', newId(), log, config.redisTransport);
  await bus.start();
  return bus;
}

/** What `from` sends, `to` hears. */
async function carries(from: RedisBus, to: RedisBus): Promise<void> {
  await eventually(() => from.connected && to.connected);
  const [ear, event] = [new Ear(to), eventOf()];
  from.send(event);
  await ear.until(() => ear.events.some(({ id }) => id === event.id));
}

const WINDOW_S = 1_728_000;
/** Two replicas, whose count of a rule is one, for many keys: those of a cluster lie on all its nodes. */
async function countTogether(environment: Record<string, string>): Promise<void> {
  const settings = { BUS_DRIVER: 'pg', RATE_SCALE: '1', RATE_LOGIN: `3/${WINDOW_S}`, ...environment };
  const one = await createTestApp(settings);
  const two = await createTestApp(settings, { databaseUrl: one.databaseUrl });
  try {
    const refusals = async (): Promise<boolean[]> => {
      const key = newId();
      const answers = [];
      for (const app of [one, two, one, two])
        answers.push((await app.app.nest.get(RateLimiter).check('login', key)).exceeded);
      return answers;
    };
    // Alone, as before they are connected, each would have let a second one pass.
    while ((await refusals())[3] === false);
    for (let i = 0; i < 20; i++) expect(await refusals()).toEqual([false, false, false, true]);
    expect(await query('SELECT key FROM rate_limit_counters', [], one.databaseUrl)).toEqual([]);
  } finally {
    await two.close();
    await one.close();
  }
}

describe('over TLS', () => {
  const authority = new Authority();
  let redis: RedisServer;
  let environment: Record<string, string>;
  beforeAll(async () => {
    redis = await startRedisTls(authority.issue('127.0.0.1'));
    environment = { REDIS_URL: redis.url, REDIS_CA: authority.cert };
  });
  afterAll(() => redis.stop());

  it('hints are carried', async () => {
    const [a, b] = [await busFor(environment), await busFor(environment)];
    await carries(a, b);
    await Promise.all([a.stop(), b.stop()]);
  });

  it('replicas count together', () => countTogether(environment));

  it.each([
    ['that nobody vouches for', {}],
    ['of another authority', { REDIS_CA: new Authority('Another').cert }],
  ])('a server %s is not believed', async (_, change) => {
    const { redisTransport } = await loadConfig({
      DATABASE_URL: 'postgresql://a@b/c',
      REDIS_URL: redis.url,
      ...change,
    });
    const client = new Redis(redis.url, { ...redisTransport, lazyConnect: true, retryStrategy: () => null });
    const refusal = once(client, 'error');
    await expect(client.connect()).rejects.toThrow('Connection is closed');
    const [error] = (await refusal) as [Error];
    expect(error.message).toMatch(/self-signed certificate|unable to verify/);
  });
});

describe('a cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.stop());

  it('hints go from every node to every other', async () => {
    const buses = await Promise.all(cluster.urls.map((url) => busFor({ REDIS_URL: url, REDIS_CLUSTER: 'true' })));
    for (const [i, from] of buses.entries()) for (const to of buses.toSpliced(i, 1)) await carries(from, to);
    await Promise.all(buses.map((bus) => bus.stop()));
  });

  it('replicas count together, wherever the key lies', () =>
    countTogether({ REDIS_URL: cluster.urls[0] ?? '', REDIS_CLUSTER: 'true' }));
});
