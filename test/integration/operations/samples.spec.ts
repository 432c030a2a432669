import { randomUUID } from 'node:crypto';
import { MaintenanceService } from '../../../src/modules/operations/maintenance.service.js';
import { Sampler } from '../../../src/modules/operations/sampler.service.js';
import { sql } from '../../../src/platform/database/sql.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import type { Person } from '../../support/people.js';
import { operator } from './support.js';

let app: TestApp;
let admin: Person;
let maintenance: MaintenanceService;
beforeAll(async () => {
  app = await createTestApp({ ROLE: 'api' });
  admin = await operator(app);
  maintenance = app.app.nest.get(MaintenanceService);
});
afterAll(() => app.close());
beforeEach(() => query('DELETE FROM system_metric_samples; DELETE FROM system_metric_daily;', [], app.databaseUrl));

const term = { holds: sql`SELECT 1` };
const [ada, ben] = [randomUUID(), randomUUID()];

/** A sample of `replica`, `daysAgo` days before today at 12:00 UTC. */
const sample = (replica: string, daysAgo: number, reqCount: number, latency: number) =>
  query(
    `INSERT INTO system_metric_samples (id, replica_id, at, "reqCount", "errCount", latency, "p50Latency", "p95Latency",
       "p99Latency", "errorRate", "cacheHitRate", "slowQueries", "cpuUsage", "memoryUsage", "wsConnections", "outboxDepth", "loopDelay")
     VALUES (gen_random_uuid(), $1, date_trunc('day', now(), 'UTC') - make_interval(days => $2) + interval '12 hours', $3, 1, $4, 1, 2, 3, 4, 90, 5, 6, 7, 8, 9, 10)`,
    [replica, daysAgo, reqCount, latency],
    app.databaseUrl,
  );
const days = () =>
  query<Record<string, unknown>>(
    `SELECT day::text, replica_id, samples, "reqCountSum", "latencyAvg", "latencyMax" FROM system_metric_daily ORDER BY day, "reqCountSum"`,
    [],
    app.databaseUrl,
  );

it('writes down what this replica did since the last sample', async () => {
  const sampler = app.app.nest.get(Sampler);
  await sampler.sample();
  for (let i = 0; i < 3; i++) await new HttpClient(app.url).get('/api/v1/users/me');
  await new HttpClient(app.url).get('/health');
  const taken = await sampler.sample();
  expect(taken).toMatchObject({
    reqCount: 3,
    errCount: 0,
    errorRate: 0,
    slowQueries: expect.any(Number),
    wsConnections: 0,
  });
  expect(taken.latency).toBeGreaterThan(0);
  expect(taken.p99Latency).toBeGreaterThanOrEqual(taken.p50Latency);
  expect(taken.memoryUsage).toBeGreaterThan(0);
  const { body } = await admin.get<{ items: unknown[] }>('/api/v1/system-health/samples?limit=1');
  expect(body.items).toEqual([{ ...taken, at: taken.at.toISOString() }]);
});

it('lists samples page by page, of a period, of a replica', async () => {
  for (const daysAgo of [3, 2, 1]) for (const replica of [ada, ben]) await sample(replica, daysAgo, daysAgo, 1);
  const list = async (search: string) =>
    (await admin.get<{ items: { reqCount: number }[]; next: string | null }>(`/api/v1/system-health/samples?${search}`))
      .body;
  const seen: number[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page = await list(`limit=4${cursor && `&cursor=${cursor}`}`);
    seen.push(...page.items.map(({ reqCount }) => reqCount));
    cursor = page.next;
  }
  expect(seen).toEqual([1, 1, 2, 2, 3, 3]);
  expect((await list(`replica=${ada}`)).items).toHaveLength(3);
  const noon = new Date(Date.now() - 2.5 * 86_400_000).toISOString();
  expect((await list(`from=${noon}`)).items.length + (await list(`to=${noon}`)).items.length).toBe(6);
  expect(await admin.get('/api/v1/system-health/samples?cursor=nonsense')).toMatchObject({
    status: 400,
    body: { code: 'invalid_cursor' },
  });
});

describe('the daily roll-up', () => {
  it('sums and averages each day of each replica, however often it runs', async () => {
    await sample(ada, 1, 10, 100);
    await sample(ada, 1, 30, 300);
    await sample(ben, 1, 1, 50);
    await maintenance.rollUp(term);
    const first = await days();
    expect(first).toMatchObject([
      { replica_id: ben, samples: '1', reqCountSum: '1', latencyAvg: 50, latencyMax: 50 },
      { replica_id: ada, samples: '2', reqCountSum: '40', latencyAvg: 200, latencyMax: 300 },
    ]);
    await maintenance.rollUp(term);
    await Promise.all([maintenance.rollUp(term), maintenance.rollUp(term)]);
    expect(await days()).toEqual(first);
  });

  it('takes late samples in, makes up for days it missed, and leaves older days alone', async () => {
    await sample(ada, 5, 1, 1);
    await maintenance.rollUp(term);
    await sample(ada, 5, 2, 1);
    await sample(ada, 2, 4, 1);
    await maintenance.rollUp(term);
    expect((await days()).map(({ reqCountSum }) => reqCountSum)).toEqual(['3', '4']);
    await query(`DELETE FROM system_metric_samples`, [], app.databaseUrl);
    await sample(ada, 5, 99, 1);
    await maintenance.rollUp(term);
    expect((await days()).map(({ reqCountSum }) => reqCountSum)).toEqual(['3', '4']);
  });

  it('writes nothing for somebody who was replaced', async () => {
    await sample(ada, 1, 1, 1);
    await maintenance.rollUp({ holds: sql`SELECT 1 WHERE false` });
    expect(await days()).toEqual([]);
  });

  it('is listed, the latest day first', async () => {
    for (const daysAgo of [1, 2, 3]) await sample(ada, daysAgo, daysAgo, 1);
    await maintenance.rollUp(term);
    const list = async (search = '') =>
      (
        await admin.get<{ items: Record<string, unknown>[]; next: string | null }>(
          `/api/v1/system-health/daily?${search}`,
        )
      ).body;
    const { items } = await list();
    expect(items.map(({ reqCountSum }) => reqCountSum)).toEqual([1, 2, 3]);
    expect(items[0]).toMatchObject({ replicaId: ada, samples: 1, latencyAvg: 1, cacheHitRateMax: 90 });
    const first = await list('limit=2');
    expect((await list(`limit=2&cursor=${first.next}`)).items).toEqual([items[2]]);
    expect((await list(`from=${String(items[1]?.['day'])}&to=${String(items[1]?.['day'])}`)).items).toEqual([items[1]]);
  });
});

it('tells the share of requests that did not fail, over 30 and 90 days', async () => {
  const read = async () => (await admin.get('/api/v1/system-health/availability')).body;
  const empty = { measuredDays: 0, requests: 0, errors: 0, availability: null };
  expect(await read()).toEqual({ target: 99.9, windows: [30, 90].map((days) => ({ days, ...empty })) });
  // One error in each.
  for (const [replica, daysAgo, requests] of [
    [ada, 1, 800],
    [ben, 1, 700],
    [ada, 29, 1],
    [ada, 30, 98],
    [ada, 89, 1],
    [ada, 90, 1],
  ] as const)
    await sample(replica, daysAgo, requests, 1);
  await maintenance.rollUp(term);
  expect(await read()).toEqual({
    target: 99.9,
    windows: [
      { days: 30, measuredDays: 2, requests: 1501, errors: 3, availability: 99.8 },
      { days: 90, measuredDays: 4, requests: 1600, errors: 5, availability: 99.687 },
    ],
  });
});

it('removes what is older than the settings want, by whole days', async () => {
  for (const daysAgo of [0, 7, 8]) await sample(ada, daysAgo, daysAgo, 1);
  await maintenance.rollUp(term);
  await query(
    `INSERT INTO rate_limit_violations VALUES (gen_random_uuid(), now() - interval '9 days', 'rest', '', '', NULL, '', 1);
     UPDATE system_metric_daily SET day = day - 366 WHERE "reqCountSum" = 8`,
    [],
    app.databaseUrl,
  );
  expect(await maintenance.purge({ holds: sql`SELECT 1 WHERE false` })).toBeUndefined();
  expect(await maintenance.purge(term)).toEqual({ samples: 1, days: 1, alerts: 0, violations: 1 });
  expect(await maintenance.purge(term)).toEqual({ samples: 0, days: 0, alerts: 0, violations: 0 });
  expect((await days()).map(({ reqCountSum }) => reqCountSum)).toEqual(['7', '0']);
});
