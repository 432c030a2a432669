import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { postOutgoing } from '../../../src/platform/http/outgoing-post.js';
import { BackgroundWork } from '../../../src/platform/lifecycle/background-work.js';
import { currentTrace, openSpan } from '../../../src/platform/logging/tracing.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import { FakeProvider, SECRET as PUSH_SECRET } from '../notifications/fake-provider.js';
import { giveDevice } from '../notifications/support.js';
import { startOtlpReceiver } from '../../support/otlp-receiver.js';
import { connect, type Connection, type Person, register } from '../../support/people.js';

const traceId = randomBytes(16).toString('hex');
const parentId = randomBytes(8).toString('hex');
const SECRET = `do-not-trace-${randomUUID()}`;

let receiver: Awaited<ReturnType<typeof startOtlpReceiver>>;
let provider: FakeProvider;
let app: TestApp;
let ada: Person;
let socket: Connection;
let conversation: string;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  provider = await FakeProvider.start();
  app = await createTestApp({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-team=chat%20ops',
    OTEL_SERVICE_NAME: 'parley-test',
    PUSH_WEBHOOK_URL: `${provider.url}/push`,
    PUSH_WEBHOOK_SECRET: PUSH_SECRET,
  });
  ada = await register(app.url);
  const { body } = await ada.post('/api/v1/conversations', { type: 'group', title: 'Team', memberIds: [] });
  conversation = String(body['id']);
  socket = await connect(ada);
});
afterAll(async () => {
  socket.close();
  await app.close();
  await provider.close();
  await receiver.close();
});

it('continues the trace of a caller: the request below the caller, the statement below the request', async () => {
  await ada.get(`/api/v1/conversations/${conversation}`, { traceparent: `00-${traceId}-${parentId}-01` });
  const request = await receiver.until((span) => span.traceId === traceId && span.parentSpanId === parentId);
  expect(request).toMatchObject({
    name: 'GET /api/v1/conversations/:id',
    failed: false,
    facts: {
      'http.request.method': 'GET',
      'http.route': '/api/v1/conversations/:id',
      'http.response.status_code': 200,
    },
  });
  const statement = await receiver.until((span) => span.parentSpanId === request.spanId);
  expect(statement).toMatchObject({ traceId, name: expect.stringMatching(/^SELECT /) });
  expect(statement.facts).toMatchObject({ 'db.system.name': 'postgresql', 'db.statement.name': expect.any(String) });
});

it('speaks OTLP as the variables ask', () => {
  expect(receiver.seen[0]).toMatchObject({
    path: '/v1/traces',
    headers: { 'x-team': 'chat ops', 'content-type': 'application/json' },
    resource: { 'service.name': 'parley-test', 'service.version': expect.any(String) },
  });
});

it.each([
  ['no hex', `00-${'g'.repeat(32)}-${parentId}-01`],
  ['only zeros', `00-${'0'.repeat(32)}-${parentId}-01`],
  ['the forbidden version', `ff-${traceId}-${parentId}-01`],
  ['half of it', `00-${traceId}`],
])('begins a trace of its own where the header is %s', async (_, traceparent) => {
  const path = `/api/v1/conversations/${conversation}/members`;
  const known = receiver.spans.length;
  await ada.get(path, { traceparent });
  const found = await receiver.until(
    (span) => receiver.spans.indexOf(span) >= known && span.facts['http.route'] === '/api/v1/conversations/:id/members',
  );
  expect(found.parentSpanId).toBeFalsy();
});

it('records nothing of a trace that its caller does not sample', async () => {
  const unsampled = randomBytes(16).toString('hex');
  await ada.get('/api/v1/users/me', { traceparent: `00-${unsampled}-${parentId}-00` });
  const after = randomBytes(16).toString('hex');
  await ada.get('/api/v1/users/me', { traceparent: `00-${after}-${parentId}-01` });
  await receiver.until((span) => span.traceId === after);
  expect(receiver.spans.filter((span) => span.traceId === unsampled)).toEqual([]);
});

it('traces socket commands, also those that fail, the work behind them, and jobs', async () => {
  await socket.emit('message.send', { c: conversation, clientId: randomUUID(), body: SECRET });
  await socket.emit('message.send', { c: randomUUID(), clientId: randomUUID(), body: SECRET });
  const sends = (result: string) => (span: { name: string; facts: Record<string, unknown> }) =>
    span.name === 'ws message.send' && span.facts['ws.result'] === result;
  expect(await receiver.until(sends('ok'))).toMatchObject({ failed: false });
  expect(await receiver.until(sends('not_found'))).toMatchObject({
    failed: true,
    facts: { 'error.type': 'not_found' },
  });
  expect((await receiver.until((span) => span.name === 'event message.created')).facts).toMatchObject({
    'event.topic': 'message.created',
  });
  await app.app.nest.get(BackgroundWork).runJob('metrics.rollup');
  const job = await receiver.until((span) => span.name === 'job metrics.rollup');
  await receiver.until((span) => span.traceId === job.traceId && span.name.includes('system_metric_daily'));
});

it('goes on across the outbox: the event of a send, the work that follows and the push belong to its trace', async () => {
  const ben = await register(app.url);
  await giveDevice(ben);
  const { body: chat } = await ada.post<{ id: string }>('/api/v1/conversations', {
    type: 'direct',
    memberIds: [ben.id],
  });
  const sendTrace = randomBytes(16).toString('hex');
  // Beside others that nobody traces, which may be stored in the same statement.
  const send = (c: string, id: string, flags: string) =>
    ada.post(
      `/api/v1/conversations/${c}/messages`,
      { clientId: randomUUID(), body: SECRET },
      { traceparent: `00-${id}-${parentId}-${flags}` },
    );
  const unsampled = randomBytes(16).toString('hex');
  await Promise.all([
    send(conversation, unsampled, '00'),
    send(chat.id, sendTrace, '01'),
    send(conversation, unsampled, '00'),
  ]);
  const inTrace = (name: RegExp) => receiver.until((span) => span.traceId === sendTrace && name.test(span.name));
  const request = await inTrace(/^POST \/api\/v1\/conversations\/:id\/messages$/);
  expect(await inTrace(/^event message\.created$/)).toMatchObject({ parentSpanId: request.spanId });
  await inTrace(/^work /);
  const [push] = await provider.until(1, ({ headers }) => String(headers['traceparent']).includes(sendTrace));
  expect(push?.path).toBe('/push');
  expect(push?.body.toString()).not.toContain('traceparent');
});

it('hands the trace on to whom it posts', async () => {
  let headers: IncomingHttpHeaders = {};
  const target = createServer((request, response) => {
    headers = request.headers;
    response.end();
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(target.address() as AddressInfo).port}/hook`;
  const span = openSpan({ name: 'test' });
  await span?.within(() => postOutgoing({ url, headers: {}, body: '{}', allowPrivate: true }));
  span?.end();
  expect(headers['traceparent']).toMatch(new RegExp(`^00-${span?.ids.trace_id}-[0-9a-f]{16}-01$`));
  expect(headers['traceparent']).not.toContain(span?.ids.span_id);
  expect(currentTrace()).toBeUndefined();
  await new Promise((resolve) => target.close(resolve));
});

it('names slow traces in OpenMetrics, and still counts under the same names in Prometheus text', async () => {
  const scrape = (accept: string) => new HttpClient(app.url).get<string>('/metrics', { accept });
  const open = await scrape('application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
  expect(open.headers.get('content-type')).toContain('application/openmetrics-text');
  expect(open.body).toMatch(
    new RegExp(
      `http_server_request_duration_seconds_bucket\\{[^}]*\\} \\d+ # \\{trace_id="${traceId}"\\} [\\d.e-]+ [\\d.]+`,
    ),
  );
  expect(open.body).toMatch(/^db_client_operation_duration_seconds_bucket\{.* # \{trace_id="[0-9a-f]{32}"\}/m);
  expect(open.body).toMatch(/^ws_event_duration_seconds_bucket\{.* # \{trace_id="[0-9a-f]{32}"\}/m);
  expect(open.body).toMatch(/^# TYPE msg_accepted counter\nmsg_accepted_total 4$/m);
  expect(open.body.endsWith('# EOF\n')).toBe(true);
  const plain = await scrape('text/plain');
  expect(plain.headers.get('content-type')).toContain('version=0.0.4');
  expect(plain.body).toMatch(/^# TYPE msg_accepted_total counter\nmsg_accepted_total 4$/m);
  expect(plain.body).not.toContain('trace_id');
});

it('tells nobody what was said, nor to whom', () => {
  const told = receiver.raw.join('\n');
  expect(receiver.spans.length).toBeGreaterThan(10);
  for (const secret of [SECRET, ada.accessToken, ada.password, ada.identifier, conversation, ada.id])
    expect(told).not.toContain(secret);
});
