import { DatabaseMonitor } from '../../../src/platform/database/database-monitor.js';
import { Sampler } from '../../../src/modules/operations/sampler.service.js';
import { throughProxy, upstreamOf } from '../../lifecycle/support/proxy.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { useDatabase } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { register } from '../../support/people.js';
import { operator, PROBE } from './support.js';

const database = useDatabase();
let proxy: TcpProxy;
let app: TestApp;
let api: HttpClient;
beforeAll(async () => {
  proxy = await TcpProxy.start(upstreamOf(database.url));
  const databaseUrl = throughProxy(database.url, proxy);
  app = await createTestApp({ HEALTH_PROBE_TOKEN: 'probe-token', BUS_DRIVER: 'memory' }, { databaseUrl });
  api = new HttpClient(app.url);
});
afterAll(async () => {
  await app.close();
  await proxy.stop();
});

const become = (state: string) =>
  new Promise<void>((resolve) => {
    const monitor = app.app.nest.get(DatabaseMonitor);
    monitor.onChange((now) => {
      if (now === state) resolve();
    });
  });

it('shows an outage of the database on every page, lives through it, and recovers', async () => {
  const admin = await operator(app);
  const stranger = await register(app.url);
  expect((await admin.get('/health/detailed')).status).toBe(200);
  expect((await stranger.get('/health/detailed')).status).toBe(403);
  await app.app.nest.get(Sampler).sample();
  const down = become('down');
  const degraded = become('degraded');
  proxy.set('refuse');

  await degraded;
  expect(await api.get('/ready')).toMatchObject({ status: 200, body: { status: 'degraded' } });

  await down;
  expect(await api.get('/ready')).toMatchObject({ status: 503, body: { status: 'not_ready' } });
  expect(await api.get('/health')).toMatchObject({
    status: 200,
    body: { status: 'ok', database: 'down', services: { database: 'unhealthy' } },
  });
  expect(await api.get('/api/v1/db-check', PROBE)).toMatchObject({
    status: 503,
    body: { status: 'error', latencyMs: null, state: 'down', error: { class: 'unreachable' } },
  });
  // What memory knows is shown, what only the database knows is null.
  await app.app.nest.get(Sampler).sample();
  const { status, body } = await api.get<{ recentSamples: object[] }>('/health/detailed', PROBE);
  expect({ status, body }).toMatchObject({
    status: 503,
    body: { status: 'error', details: { database: { status: 'down' } }, replicas: null, queues: { outbox: null } },
  });
  expect(body.recentSamples).toHaveLength(2);
  // So does who was let in before, and nobody else; everything that must be looked up is refused.
  expect(await admin.get('/health/detailed')).toMatchObject({ status: 503, body: { details: { database: {} } } });
  expect(await stranger.get('/health/detailed')).toMatchObject({ body: { code: 'database_unavailable' } });
  expect(await admin.get('/api/v1/db/perf')).toMatchObject({ body: { code: 'database_unavailable' } });
  const metrics = await api.get<string>('/metrics');
  expect(metrics.status).toBe(200);
  expect(metrics.body).toMatch(/^degraded\{component="database"\} 1$/m);

  const ready = become('ready');
  proxy.set('pass');
  await ready;
  expect(await api.get('/ready')).toMatchObject({ status: 200, body: { status: 'ok' } });
  expect(await api.get('/health/detailed', PROBE)).toMatchObject({ status: 200, body: { replicas: [{}] } });
});
