import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { type Person, register } from '../../support/people.js';
import { operator } from './support.js';

const PATH = '/api/v1/system-health/settings';
const ALIAS = '/api/system-health/settings';
const seeded = {
  thresholds: {
    latency: { warning: 500, critical: 1000 },
    p95Latency: { warning: 800, critical: 1500 },
    errorRate: { warning: 1, critical: 5 },
    cacheHitRate: { warning: 70, critical: 50 },
    slowQueries: { warning: 100, critical: 200 },
    cpuUsage: { warning: 70, critical: 85 },
    memoryUsage: { warning: 80, critical: 90 },
  },
  backupLocation: '/backups/railway',
  refreshInterval: 30_000,
  metricsRetentionDays: 7,
  aggregateRetentionDays: 365,
};

let app: TestApp;
let admin: Person;
beforeAll(async () => {
  app = await createTestApp({ ROLE: 'api' });
  admin = await operator(app);
});
afterAll(() => app.close());

const put = (body: unknown, match?: string, path = PATH) =>
  admin.send<Record<string, unknown>>('PUT', path, body, match === undefined ? {} : { 'if-match': match });
const etag = async () => (await admin.get(PATH)).headers.get('etag') ?? '';

it('shows what was seeded, under both paths', async () => {
  for (const path of [PATH, ALIAS]) {
    const { status, body } = await admin.get(path);
    expect({ status, body }).toEqual({ status: 200, body: { ...seeded, updatedAt: expect.any(String) } });
  }
  expect((await admin.get(PATH, { 'if-none-match': await etag() })).status).toBe(304);
});

it('replaces the whole for who knows the present version, once', async () => {
  const before = await etag();
  const changed = {
    ...seeded,
    refreshInterval: 5000,
    thresholds: { ...seeded.thresholds, cpuUsage: { warning: 60, critical: 75 } },
  };
  expect(await put(changed)).toMatchObject({ status: 428, body: { code: 'precondition_required' } });
  const answers = await Promise.all([put(changed, before), put({ ...changed, refreshInterval: 6000 }, before, ALIAS)]);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 412]));
  expect(answers.find(({ status }) => status === 200)?.headers.get('etag')).toBe(await etag());
  expect(await etag()).not.toBe(before);
  expect((await put(seeded, await etag())).body).toEqual({ ...seeded, updatedAt: expect.any(String) });
});

it('changes what is named and keeps the rest, under the same rules', async () => {
  const patch = (body: unknown, match?: string) =>
    admin.send<Record<string, unknown>>('PATCH', PATH, body, match === undefined ? {} : { 'if-match': match });
  const before = await etag();
  expect(await patch({ refreshInterval: 4000 })).toMatchObject({ status: 428 });
  expect(await patch({ thresholds: { latency: { warning: 2, critical: 1 } } }, before)).toMatchObject({ status: 400 });
  expect(await patch({ thresholds: { latency: { critical: 1 } } }, before)).toMatchObject({ status: 400 });
  const cpuUsage = { warning: 50, critical: 60 };
  const { status, body, headers } = await patch({ refreshInterval: 4000, thresholds: { cpuUsage } }, before);
  const expected = { ...seeded, refreshInterval: 4000, thresholds: { ...seeded.thresholds, cpuUsage } };
  expect({ status, body }).toEqual({ status: 200, body: { ...expected, updatedAt: expect.any(String) } });
  expect(headers.get('etag')).toBe(await etag());
  expect(await patch({}, before)).toMatchObject({ status: 412 });
  await put(seeded, await etag());
});

it('leaves an audit entry for a change, and none where nothing changed', async () => {
  const entries = () =>
    query<{ payload: Record<string, unknown> }>(
      `SELECT payload FROM outbox WHERE topic = 'actor.acted' ORDER BY id`,
      [],
      app.databaseUrl,
    );
  const known = (await entries()).length;
  await put(seeded, await etag());
  expect(await entries()).toHaveLength(known);
  const { headers } = await put({ ...seeded, metricsRetentionDays: 3 }, await etag());
  expect((await entries()).slice(known)).toEqual([
    {
      payload: {
        actorId: admin.id,
        action: 'system_health.update',
        permission: 'health.write',
        targetType: 'system_health',
        targetId: '1',
        before: seeded,
        after: { ...seeded, metricsRetentionDays: 3 },
        requestId: headers.get('x-request-id'),
        ipHash: expect.stringMatching(/^[\w-]{22}$/),
      },
    },
  ]);
  await put(seeded, await etag());
});

it.each<[string, object]>([
  ['a threshold is missing', { thresholds: { ...seeded.thresholds, latency: undefined } }],
  ['without a warning', { thresholds: { ...seeded.thresholds, latency: { critical: 1 } } }],
  ['without a critical', { thresholds: { ...seeded.thresholds, latency: { warning: 1 } } }],
  ['critical below warning', { thresholds: { ...seeded.thresholds, latency: { warning: 2, critical: 1 } } }],
  ['cache hit rate upside down', { thresholds: { ...seeded.thresholds, cacheHitRate: { warning: 50, critical: 70 } } }],
  ['an unknown threshold', { thresholds: { ...seeded.thresholds, luck: { warning: 1, critical: 2 } } }],
  ['a negative level', { thresholds: { ...seeded.thresholds, latency: { warning: -1, critical: 2 } } }],
  ['text for a number', { refreshInterval: '30000' }],
  ['sampling every millisecond', { refreshInterval: 1 }],
  ['no retention', { metricsRetentionDays: 0 }],
  ['a location of 256 characters', { backupLocation: 'x'.repeat(256) }],
  ['an unknown member', { id: 2 }],
])('refuses settings where %s', async (_, change) => {
  expect(await put({ ...seeded, ...change }, '*')).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
  expect((await admin.get(PATH)).body).toMatchObject(seeded);
});

it('is for operators, and changes for those who may write', async () => {
  const [stranger, reader] = [await register(app.url), await operator(app, ['health.read'])];
  expect((await stranger.get(PATH)).status).toBe(403);
  expect((await reader.get(PATH)).status).toBe(200);
  const refused = await reader.send<Record<string, unknown>>('PUT', PATH, seeded, { 'if-match': '*' });
  expect(refused).toMatchObject({ status: 403, body: { permission: 'health.write' } });
  admin = await operator(app);
});
