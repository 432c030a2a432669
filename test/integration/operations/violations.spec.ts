import { ViolationsService } from '../../../src/modules/operations/violations.service.js';
import { RateLimiter } from '../../../src/platform/ratelimit/rate-limiter.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { type Person, register } from '../../support/people.js';
import { operator } from './support.js';

let app: TestApp;
let second: TestApp;
let admin: Person;
let ada: Person;
const at = new Date('2026-03-01T10:00:30.000Z').getTime();

beforeAll(async () => {
  app = await createTestApp({ ROLE: 'api' });
  second = await createTestApp({ ROLE: 'api' }, { databaseUrl: app.databaseUrl });
  ada = await register(app.url, 'Ada');
  admin = await operator(app);
});
afterAll(async () => {
  await second.close();
  await app.close();
});
beforeEach(() => query('DELETE FROM rate_limit_violations', [], app.databaseUrl));

/** Meets a limit of one replica so many times, as its clock shows `now`. */
async function violate(replica: TestApp, key: string, times: number, now = at): Promise<void> {
  jest.spyOn(Date, 'now').mockReturnValue(now);
  const limiter = replica.app.nest.get(RateLimiter);
  for (let refused = 0; refused < times;)
    if (limiter.checkNow('typing', key, { route: 'typing', userId: ada.id }).exceeded) refused += 1;
  jest.restoreAllMocks();
}
const flush = (replica: TestApp) => replica.app.nest.get(ViolationsService).flush();
const rows = () =>
  query<{ rule: string; count: string; at: Date }>(
    `SELECT rule, route, key_hash, user_id, count, at FROM rate_limit_violations ORDER BY at, key_hash`,
    [],
    app.databaseUrl,
  );

it('keeps one row per rule, key and minute, over all replicas and batches', async () => {
  await violate(app, 'a', 3);
  await violate(second, 'a', 2);
  await Promise.all([flush(app), flush(second)]);
  await violate(app, 'a', 1, at + 20_000);
  await flush(app);
  expect(await rows()).toMatchObject([
    { rule: 'typing', route: 'typing', user_id: ada.id, count: '6', at: new Date('2026-03-01T10:00:00.000Z') },
  ]);
  await violate(app, 'a', 1, at + 60_000);
  await violate(app, 'b', 1, at + 60_000);
  await flush(app);
  expect((await rows()).map(({ count }) => count)).toEqual(['6', '1', '1']);
});

it('records what REST refuses, lists it, and shows no address', async () => {
  const limited = await createTestApp({ ROLE: 'api', RATE_SCALE: '1', RATE_ANON: '1/60' });
  const reader = await operator(limited);
  const anonymous = new HttpClient(limited.url);
  while ((await anonymous.get('/api/v1/setup')).status !== 429);
  await limited.app.nest.get(ViolationsService).flush();
  const { body } = await reader.get<{ items: object[] }>('/api/v1/system-health/rate-limit-violations?rule=anon');
  expect(body.items).toMatchObject([{ rule: 'anon', userId: null, ipHash: expect.stringMatching(/^[\w-]{22}$/) }]);
  expect(JSON.stringify(body)).not.toContain('127.0.0.1');
  expect(await reader.get('/api/v1/system-health/rate-limit-violations?rule=rest')).toMatchObject({
    body: { items: [] },
  });
  await limited.close();
});

it('pages through rows of the same minute', async () => {
  for (const key of ['a', 'b', 'c', 'd', 'e']) await violate(app, key, 1);
  await flush(app);
  const seen: unknown[] = [];
  for (let cursor = ''; ;) {
    const { body } = await admin.get<{ items: { keyHash: string }[]; next: string | null }>(
      `/api/v1/system-health/rate-limit-violations?limit=2${cursor}`,
    );
    seen.push(...body.items.map(({ keyHash }) => keyHash));
    if (body.next === null) break;
    cursor = `&cursor=${body.next}`;
  }
  expect(new Set(seen).size).toBe(5);
  expect(seen).toHaveLength(5);
});
