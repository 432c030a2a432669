import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import type { Person } from '../../support/people.js';
import { operator } from './support.js';

const PATH = '/api/v1/system-health/load-test-reports';
const report = {
  name: 'Nightly',
  scenario: 'reference',
  version: '1.2.3',
  startedAt: '2026-03-01T10:00:00.000Z',
  finishedAt: '2026-03-01T10:05:00.000Z',
  summary: { p50: 12.5, p95: 80, p99: 120, errorRate: 0, parameters: { sockets: 1000 } },
};

let app: TestApp;
let admin: Person;
beforeAll(async () => {
  app = await createTestApp({ ROLE: 'api' });
  admin = await operator(app);
});
afterAll(() => app.close());

it('stores a report and shows it again', async () => {
  const { status, body } = await admin.post(PATH, report);
  expect({ status, body }).toEqual({ status: 201, body: { ...report, id: expect.any(String), createdBy: admin.id } });
  expect((await admin.get(`${PATH}/${String(body['id'])}`)).body).toEqual(body);
  expect(await admin.get(`${PATH}/${randomUUID()}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
});

it('lists by scenario, page by page, the last first', async () => {
  const scenario = randomUUID();
  for (const name of ['one', 'two', 'three']) await admin.post(PATH, { ...report, scenario, name });
  const page = async (search = '') =>
    (await admin.get<{ items: { name: string }[]; next: string }>(`${PATH}?scenario=${scenario}&limit=2${search}`))
      .body;
  const first = await page();
  const rest = await page(`&cursor=${first.next}`);
  expect([...first.items, ...rest.items].map(({ name }) => name)).toEqual(['three', 'two', 'one']);
  expect(rest.next).toBeNull();
});

it('refuses what is no report, and who may only read', async () => {
  for (const change of [{ finishedAt: '2026-03-01T09:00:00.000Z' }, { name: '' }, { summary: 1 }, { more: 1 }])
    expect((await admin.post(PATH, { ...report, ...change })).status).toBe(400);
  const reader = await operator(app, ['health.read']);
  expect(await reader.post(PATH, report)).toMatchObject({ status: 403, body: { permission: 'health.write' } });
  expect((await reader.get(PATH)).status).toBe(200);
});
