import { createTestApp, type TestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import { TestSqs } from '../../support/sqs.js';
import { PROBE } from './support.js';

const check = (app: TestApp) => new HttpClient(app.url).post('/api/v1/queue-check', undefined, PROBE);
const nobody = {
  status: 503,
  body: { status: 'error', error: { class: 'timeout', detail: expect.stringContaining('no worker') } },
};

let sqs: TestSqs;
let apps: TestApp[];
beforeAll(async () => {
  sqs = await TestSqs.start();
});
afterAll(() => sqs.stop());
beforeEach(() => {
  apps = [];
});
afterEach(async () => {
  for (const app of apps.toReversed()) await app.close();
});

/** A process that serves alone, and one that works alone. */
async function serving(
  driver: string,
  environment: Record<string, string> = {},
): Promise<{ api: TestApp; work: () => Promise<void> }> {
  const settings = { QUEUE_DRIVER: driver, HEALTH_PROBE_TOKEN: 'probe-token', ...environment };
  const api = await createTestApp({ ...settings, ROLE: 'api' });
  apps.push(api);
  return {
    api,
    work: async () =>
      void apps.push(await createTestApp({ ...settings, ROLE: 'worker' }, { databaseUrl: api.databaseUrl })),
  };
}

it('outbox: without a worker nothing arrives, and all who ask together are told so; with one it does', async () => {
  const { api, work } = await serving('outbox');
  const answers = await Promise.all([check(api), check(api)]);
  for (const answer of answers) expect(answer).toMatchObject(nobody);
  await work();
  expect(await check(api)).toMatchObject({
    status: 200,
    body: { status: 'ok', driver: 'outbox', latencyMs: expect.any(Number) },
  });
});

it('pg-boss: what one process sends another gets', async () => {
  const { api, work } = await serving('pgboss');
  await work();
  expect(await check(api)).toMatchObject({ status: 200, body: { status: 'ok', driver: 'pgboss' } });
});

it('SQS: sent over the wire and received over it; while SQS is away that is said', async () => {
  const { api, work } = await serving('sqs', sqs.environment);
  await work();
  const sent = sqs.asked.get('SendMessageBatch') ?? 0;
  expect(await check(api)).toMatchObject({ status: 200, body: { status: 'ok', driver: 'sqs' } });
  expect(sqs.asked.get('SendMessageBatch')).toBeGreaterThan(sent);
  sqs.set('down');
  expect(await check(api)).toMatchObject(nobody);
  sqs.set('none');
});
