import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { AlertMail } from '../../../src/modules/operations/alert-mail.service.js';
import { AlertsService } from '../../../src/modules/operations/alerts.service.js';
import { Config } from '../../../src/platform/config/config.js';
import { OutboxRelay } from '../../../src/platform/events/outbox-relay.js';
import { sql } from '../../../src/platform/database/sql.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { Authority } from '../../support/certificates.js';
import { query } from '../../support/database.js';
import type { Person } from '../../support/people.js';
import { operator } from './support.js';

interface Notice {
  id: string;
  type: string;
  data: Record<string, unknown>;
}

let app: TestApp;
let second: TestApp;
let admin: Person;
let receiver: Server;
let answer = 204;
const notices: Notice[] = [];
const letters: string[] = [];
let mailServer: SMTPServer;
/** Takes every letter without a question. */
const startMailServer = async (options: SMTPServerOptions = {}) => {
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    onData: (stream, _session, done) => {
      let text = '';
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
      stream.on('end', () => {
        letters.push(text);
        done();
      });
    },
    ...options,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
};
const hostOf = ({ server }: SMTPServer) => `127.0.0.1:${(server.address() as AddressInfo).port}`;
const SECRET = 'secret of the alert webhook';
let forged = 0;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      notices.push(JSON.parse(text) as Notice);
      const signed = `${String(request.headers['parley-timestamp'])}.${text}`;
      const expected = `v1=${createHmac('sha256', SECRET).update(signed).digest('hex')}`;
      if (request.headers['parley-signature'] !== expected) forged += 1;
      response.writeHead(answer).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/alerts`;
  mailServer = await startMailServer();
  // Without background work of their own: the test evaluates and relays.
  app = await createTestApp({
    ROLE: 'api',
    ALERT_WEBHOOK_URL: url,
    ALERT_WEBHOOK_SECRET: SECRET,
    ALERT_EMAIL_TO: 'ops@example.com, night@example.com',
    ALERT_EMAIL_FROM: 'parley@example.com',
    SMTP_URL: `smtp://${hostOf(mailServer)}`,
  });
  second = await createTestApp({ ROLE: 'api' }, { databaseUrl: app.databaseUrl });
  admin = await operator(app);
});
afterAll(async () => {
  await second.close();
  await app.close();
  receiver.close();
  await new Promise<void>((resolve) => mailServer.close(resolve));
  expect(forged).toBe(0);
});
beforeEach(async () => {
  await query('DELETE FROM system_metric_samples; DELETE FROM health_alerts; DELETE FROM outbox;', [], app.databaseUrl);
  notices.length = 0;
  letters.length = 0;
});

const replica = randomUUID();
/** Healthy samples of a replica, but for `facts`; the last one is the newest. */
async function samples(facts: Record<string, number>[], of = replica): Promise<void> {
  for (const [i, fact] of facts.entries()) {
    const healthy = {
      reqCount: 100,
      errCount: 0,
      latency: 1,
      p50Latency: 1,
      p95Latency: 1,
      p99Latency: 1,
      errorRate: 0,
    };
    const idle = {
      cacheHitRate: 99,
      slowQueries: 0,
      cpuUsage: 1,
      memoryUsage: 1,
      wsConnections: 0,
      outboxDepth: 0,
      loopDelay: 0,
    };
    const row: Record<string, number> = { ...healthy, ...idle, ...fact };
    await query(
      `INSERT INTO system_metric_samples (id, replica_id, at, ${Object.keys(row)
        .map((name) => `"${name}"`)
        .join(', ')})
       VALUES ($1, $2, now() + make_interval(secs => $3), ${Object.keys(row)
         .map((_, n) => `$${n + 4}`)
         .join(', ')})`,
      [randomUUID(), of, i / 1000, ...Object.values(row)],
      app.databaseUrl,
    );
  }
}
const evaluate = (on = app) => on.app.nest.get(AlertsService).evaluate({ holds: sql`SELECT 1` });
const relay = async () => {
  await query(`UPDATE outbox SET next_at = now()`, [], app.databaseUrl);
  await app.app.nest.get(OutboxRelay).pass();
};
const list = async (search = '') =>
  (await admin.get<{ items: Record<string, unknown>[] }>(`/api/v1/system-health/alerts?${search}`)).body.items;
const told = () =>
  notices.map(({ data }) => `${String(data['metric'])} ${String(data['change'])} ${String(data['level'])}`);

it('opens one alert, raises it, lowers it, resolves it, and tells each once', async () => {
  const steps: [Record<string, number>[], string | null][] = [
    [[{ cpuUsage: 75 }], null],
    [[{ cpuUsage: 72 }], 'cpuUsage opened warning'],
    [[{ cpuUsage: 69 }], null],
    [[{ cpuUsage: 90 }, { cpuUsage: 95 }], 'cpuUsage raised critical'],
    [[{ cpuUsage: 10 }], null],
    [[{ cpuUsage: 72 }, { cpuUsage: 72 }, { cpuUsage: 72 }], 'cpuUsage lowered warning'],
    [[{ cpuUsage: 1 }, { cpuUsage: 1 }, { cpuUsage: 1 }], 'cpuUsage resolved warning'],
    [[{ cpuUsage: 1 }], null],
  ];
  const expected: string[] = [];
  for (const [facts, notice] of steps) {
    await samples(facts);
    expect(await evaluate()).toEqual({ changed: notice ? 1 : 0 });
    expect(await evaluate()).toEqual({ changed: 0 });
    await relay();
    if (notice) expected.push(notice);
    expect(told()).toEqual(expected);
  }
  expect(new Set(notices.map(({ type }) => type))).toEqual(new Set(['health.alert']));
  expect(new Set(notices.map(({ id }) => id)).size).toBe(4);
  expect(letters.map((letter) => /^Subject: (.*)\r$/m.exec(letter)?.[1])).toEqual([
    '[Parley] cpuUsage: warning',
    '[Parley] cpuUsage: critical',
    '[Parley] cpuUsage: warning',
    '[Parley] cpuUsage: resolved',
  ]);
  expect(letters[1]).toContain('To: ops@example.com, night@example.com');
  expect(letters[1]).toContain('cpuUsage is 95; the threshold for critical is 85.');
  expect(letters.map((letter) => /^Message-ID: <(.*)@parley>\r$/im.exec(letter)?.[1])).toEqual(
    notices.map(({ id }) => id),
  );
  expect(await list('state=open')).toEqual([]);
  expect(await list()).toMatchObject([{ metric: 'cpuUsage', replicaId: replica, resolvedAt: expect.any(String) }]);
});

it('is opened once by two replicas that evaluate at the same time', async () => {
  await samples([
    { errorRate: 9, latency: 2000 },
    { errorRate: 9, latency: 2000 },
  ]);
  const changed = await Promise.all([evaluate(), evaluate(second), evaluate(), evaluate(second)]);
  expect(changed.reduce((sum, { changed: n }) => sum + n, 0)).toBe(2);
  const open = (await list('state=open')).map(({ metric }) => metric);
  expect(new Set(open)).toEqual(new Set(['errorRate', 'latency']));
  expect(open).toHaveLength(2);
  expect(await query(`SELECT 1 FROM outbox WHERE topic = 'health.alert'`, [], app.databaseUrl)).toHaveLength(2);
});

it('changes nothing for somebody who was replaced', async () => {
  await samples([{ cpuUsage: 99 }, { cpuUsage: 99 }]);
  expect(await app.app.nest.get(AlertsService).evaluate({ holds: sql`SELECT 1 WHERE false` })).toEqual({ changed: 0 });
  expect(await list()).toEqual([]);
});

it.each([
  ['latency', 500, 1000, 499],
  ['p95Latency', 800, 1500, 799],
  ['errorRate', 1, 5, 0.99],
  ['cacheHitRate', 70, 50, 70.1],
  ['slowQueries', 100, 200, 49],
  ['cpuUsage', 70, 85, 69.9],
  ['memoryUsage', 80, 90, 79.9],
])('%s: warning at %d, critical at %d, nothing at %d', async (metric, warning, critical, fine) => {
  const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()];
  for (const [of, value] of [
    [a, warning],
    [b, critical],
    [c, fine],
  ] as const)
    await samples([{ [metric]: value }, { [metric]: value }], of);
  await evaluate();
  const open = (await list('state=open')).filter((alert) => alert['metric'] === metric);
  // Two samples of slow queries add up within their hour, so one alone reaches it.
  const levels = Object.fromEntries(open.map((alert) => [alert['replicaId'], alert['level']]));
  expect(levels).toEqual({ [a]: 'warning', [b]: 'critical' });
  expect(open.map(({ threshold }) => threshold).toSorted((x, y) => Number(x) - Number(y))).toEqual(
    [warning, critical].toSorted((x, y) => x - y),
  );
});

it('follows the thresholds as an operator sets them', async () => {
  await samples([{ cpuUsage: 50 }, { cpuUsage: 50 }]);
  expect(await evaluate()).toEqual({ changed: 0 });
  const path = '/api/v1/system-health/settings';
  const { updatedAt: _, ...settings } = (await admin.get<{ thresholds: object; updatedAt: string }>(path)).body;
  const lower = { ...settings, thresholds: { ...settings.thresholds, cpuUsage: { warning: 40, critical: 85 } } };
  expect((await admin.send('PUT', path, lower, { 'if-match': '*' })).status).toBe(200);
  expect(await evaluate()).toEqual({ changed: 1 });
  await admin.send('PUT', path, settings, { 'if-match': '*' });
});

it('ends the alerts of a replica that is gone', async () => {
  await samples([{ cpuUsage: 99 }, { cpuUsage: 99 }]);
  await evaluate();
  await query(`UPDATE system_metric_samples SET at = at - interval '5 minutes'`, [], app.databaseUrl);
  await samples([{}], randomUUID());
  expect(await evaluate()).toEqual({ changed: 1 });
  expect(await list('state=open')).toEqual([]);
});

it('asks a receiver that failed again, with the same event id', async () => {
  answer = 500;
  await samples([{ cpuUsage: 99 }, { cpuUsage: 99 }]);
  await evaluate();
  await relay();
  answer = 204;
  await relay();
  await relay();
  expect(told()).toEqual(['cpuUsage opened critical', 'cpuUsage opened critical']);
  expect(notices[0]?.id).toBe(notices[1]?.id);
  // Whom it had reached hears nothing again.
  expect(letters).toHaveLength(1);
});

it('sends its password over TLS, and to no mail server without', async () => {
  const tried: string[] = [];
  const authority = new Authority();
  const usual = getCACertificates('default');
  setDefaultCACertificates([...usual, authority.cert]);
  const onAuth: SMTPServerOptions['onAuth'] = ({ username, password }, _session, done) => {
    tried.push(`${username}:${password}`);
    done(null, { user: username });
  };
  const insecure = await startMailServer({ allowInsecureAuth: true, onAuth });
  const secure = await startMailServer({ secure: true, ...authority.issue('127.0.0.1'), onAuth });
  const config = app.app.nest.get(Config);
  const send = (url: string) =>
    new AlertMail(Object.assign(Object.create(config) as Config, { SMTP_URL: url })).send('an id', {
      id: 'an id',
      metric: 'cpuUsage',
      level: 'critical',
      change: 'opened',
      replicaId: null,
      value: 99,
      threshold: 85,
    });
  await expect(send(`smtp://parley:p%40ss@${hostOf(insecure)}`)).rejects.toThrow('TLS');
  expect({ tried, letters }).toEqual({ tried: [], letters: [] });
  await send(`smtps://parley:p%40ss@${hostOf(secure)}`);
  expect(tried).toEqual(['parley:p@ss']);
  expect(letters).toHaveLength(1);
  setDefaultCACertificates(usual);
  for (const server of [insecure, secure]) await new Promise<void>((resolve) => server.close(resolve));
});
