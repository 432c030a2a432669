import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { DatabaseService } from '../../../src/platform/database/database.service.js';
import { sql } from '../../../src/platform/database/sql.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { HttpClient } from '../../support/http-client.js';
import { connect, type Person, register } from '../../support/people.js';
import { operator, PROBE } from './support.js';

let app: TestApp;
let anonymous: HttpClient;
let admin: Person;
let ada: Person;
beforeAll(async () => {
  app = await createTestApp({ HEALTH_PROBE_TOKEN: 'probe-token', METRICS_TOKEN: 'metrics-token' });
  anonymous = new HttpClient(app.url);
  ada = await register(app.url, 'Ada');
  admin = await operator(app, ['health.read']);
});
afterAll(() => app.close());

const detailed = ['/health/detailed', '/api/v1/health/detailed'];

describe('who may see the pages of an operator', () => {
  it.each([
    ...detailed,
    '/api/v1/db-check',
    '/api/v1/db/perf',
    '/api/db/perf',
    '/api/v1/websocket/stats',
    '/api/websocket/stats',
    '/api/v1/system-health/samples',
  ])('%s', async (path) => {
    expect(await anonymous.get(path)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(await ada.get(path)).toMatchObject({ status: 403, body: { code: 'forbidden', permission: 'health.read' } });
    expect((await admin.get(path)).status).toBe(200);
  });

  it('the probe token opens the detailed pages, and them alone', async () => {
    for (const path of [...detailed, '/api/v1/db-check']) expect((await anonymous.get(path, PROBE)).status).toBe(200);
    expect((await anonymous.get('/api/v1/db/perf', PROBE)).status).toBe(401);
    expect((await anonymous.get('/health/detailed', { authorization: 'Bearer probe-token2' })).status).toBe(401);
  });
});

describe('detailed health', () => {
  it('tells what the installation is made of', async () => {
    const { status, body, headers } = await anonymous.get('/health/detailed', PROBE);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(body).toMatchObject({
      status: 'ok',
      version: '0.0.0-test',
      services: { database: 'healthy', aws: 'embedded', socket: 'healthy' },
      details: {
        database: { status: 'up' },
        schema: { status: 'up' },
        bus: { status: 'up' },
        sockets: { status: 'up' },
      },
      checks: { 'database:state': [{ status: 'pass' }], 'pool:waiting': [{ status: 'pass', observedValue: 0 }] },
      schema: { ok: true, missing: [] },
      migrations: { pending: 0, failed: 0 },
      bus: { connected: true },
      queues: { outbox: { depth: expect.any(Number) }, deadLetters: [] },
    });
    const migrations = await query<{ n: number }>(
      'SELECT count(*)::int AS n FROM _prisma_migrations WHERE finished_at IS NOT NULL',
      [],
      app.databaseUrl,
    );
    expect(body['migrations']).toMatchObject({ applied: migrations[0]?.n });
    expect(body['replicas']).toEqual([expect.objectContaining({ replicaId: body['replicaId'] })]);
  });

  it('speaks health+json to who accepts it', async () => {
    const { body, headers } = await anonymous.get('/health/detailed', { ...PROBE, accept: 'application/health+json' });
    expect(headers.get('content-type')).toMatch(/^application\/health\+json/);
    expect(body).toMatchObject({ status: 'pass', releaseId: '0.0.0-test' });
    expect(body['details']).toBeUndefined();
  });

  it('checks the database by a round trip', async () => {
    expect((await anonymous.get('/api/v1/db-check', PROBE)).body).toMatchObject({
      status: 'ok',
      latencyMs: expect.any(Number),
      schema: { ok: true },
      pool: { total: expect.any(Number), waiting: expect.any(Number) },
    });
  });
});

it('shows how the database is used, without a value of a statement', async () => {
  const { body } = await admin.get('/api/v1/db/perf');
  expect(body).toMatchObject({
    pool: { waiting: expect.any(Number) },
    slowQueries: expect.any(Array),
    locks: [],
    lastBackupAt: null,
  });
  expect(body['tables']).toContainEqual(expect.objectContaining({ table: 'users', bytes: expect.any(Number) }));
  expect(body['indexes']).toContainEqual(expect.objectContaining({ index: 'users_pkey', unique: true }));
});

it('names slow statements, who waits for whom, and transactions that stay open', async () => {
  const database = app.app.nest.get(DatabaseService);
  await database.query(sql`SELECT pg_sleep(1.05), ${'a value that stays unsaid'}::text AS said`);
  const [holder, waiter] = [0, 1].map(
    () => new Client({ connectionString: app.databaseUrl, application_name: 'foreign' }),
  );
  if (!holder || !waiter) throw new Error('two clients were made');
  await Promise.all([holder.connect(), waiter.connect()]);
  try {
    const pid = async (client: Client) =>
      (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;
    const [holderPid, waiterPid] = [await pid(holder), await pid(waiter)];
    await holder.query('BEGIN; LOCK TABLE load_test_reports IN ACCESS EXCLUSIVE MODE');
    const waiting = waiter.query('SELECT count(*) FROM load_test_reports').catch(() => undefined);
    await eventually(async () => {
      // A table that is locked keeps nobody from looking at the locks.
      const { status, body } = await admin.get('/api/v1/db/perf');
      expect(status).toBe(200);
      expect(body['locks']).toContainEqual(
        expect.objectContaining({
          pid: waiterPid,
          blockedBy: [holderPid],
          mode: 'AccessShareLock',
          relation: 'load_test_reports',
        }),
      );
      expect(body['longTransactions']).toContainEqual(
        expect.objectContaining({ pid: holderPid, application: 'foreign', state: 'idle in transaction' }),
      );
      expect(body['slowQueries']).toContainEqual({
        text: 'SELECT pg_sleep(1.05), $1::text AS said',
        ms: expect.any(Number),
        at: expect.any(String),
      });
      expect(JSON.stringify(body)).not.toContain('stays unsaid');
    });
    await holder.query('ROLLBACK');
    await waiting;
  } finally {
    await Promise.all([holder.end(), waiter.end()]);
  }
});

it('counts sockets and rooms', async () => {
  await ada.post('/api/v1/conversations', { type: 'group', title: 'Team', memberIds: [admin.id] });
  const sockets = [await connect(ada), await connect(ada)];
  const { body } = await admin.get<{ total: object; replicas: object[] }>('/api/v1/websocket/stats');
  expect(body.total).toMatchObject({ connections: 2, users: 1, rooms: 1, bufferBytes: 0 });
  expect(body.replicas).toHaveLength(1);
  for (const socket of sockets) socket.close();
});

describe('metrics', () => {
  const read = async (token?: string) =>
    anonymous.get<string>('/metrics', token === undefined ? {} : { authorization: `Bearer ${token}` });

  it('asks for its token', async () => {
    expect((await read()).status).toBe(401);
    expect((await read(ada.accessToken)).status).toBe(401);
    expect((await read('metrics-token')).status).toBe(200);
  });

  it('holds process, event loop, pool, outbox and requests, and no id', async () => {
    const room = await ada.post<{ id: string }>('/api/v1/conversations', {
      type: 'group',
      title: 'Room',
      memberIds: [],
    });
    const message = { clientId: randomUUID(), body: 'measured' };
    expect((await ada.post(`/api/v1/conversations/${room.body.id}/messages`, message)).status).toBe(201);
    const { body, headers } = await read('metrics-token');
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    for (const line of [
      /^process_cpu_seconds_total /m,
      /^nodejs_eventloop_lag_p99_seconds /m,
      /^db_client_connection_count\{state="idle"\} [1-9]/m,
      /^db_client_connection_count\{state="waiting"\} 0$/m,
      /^msg_accepted_total [1-9]/m,
      /^msg_send_ack_seconds_count [1-9]/m,
      /^queue_depth\{queue="[\w.-]+"\} \d/m,
      /^queue_oldest_seconds\{queue="[\w.-]+"\} \d/m,
      /^ws_send_buffer_bytes \d/m,
      /^presence_online \d/m,
      /^anti_entropy_seconds_count \d/m,
      /^outbox_depth \d/m,
      /^outbox_oldest_seconds \d/m,
      /^backup_last_success_timestamp 0$/m,
      /^http_server_request_duration_seconds_count\{.*http_route="\/health\/detailed".*\} \d/m,
      /^degraded\{component="bus"\} 0$/m,
    ])
      expect(body).toMatch(line);
    expect(body).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}-/);
  });
});
