import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createLog } from '../../../src/platform/logging/create-log.js';
import { createTestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import { connect, register } from '../../support/people.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-logs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const files = () => readdirSync(folder).toSorted();
const written = () =>
  files()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('');
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(20);
}

/** Of the events of the code, as docs/guides/log-events.md lists them. */
const known = new Set(
  [...readFileSync('docs/guides/log-events.md', 'utf8').matchAll(/`([a-z_.]+)`/g)].map(([, name]) => name),
);

it('writes one JSON object per line, of known shape, and no secret that went through it', async () => {
  const canary = (what: string) => `canary-${what}-${randomUUID()}`;
  const [body, query, header, title, unknown] = ['body', 'query', 'header', 'title', 'path'].map(canary);
  const app = await createTestApp({ LOG_LEVEL: 'debug', LOG_FILE: join(folder, 'parley.log') });
  const ada = await register(app.url, 'Ada');
  const { body: room } = await ada.post('/api/v1/conversations', { type: 'group', title, memberIds: [] });
  await ada.post(`/api/v1/conversations/${String(room['id'])}/messages`, { clientId: randomUUID(), body });
  await ada.get(`/api/v1/search/messages?q=${query}`, { 'x-secret': String(header), cookie: `sid=${header}` });
  await new HttpClient(app.url).post('/api/v1/auth/login', { identifier: ada.identifier, password: header });
  await new HttpClient(app.url, header).get('/api/v1/users/me');
  await ada.post('/api/v1/conversations', `{"title": "${body}`, { 'content-type': 'application/json' });
  const socket = await connect(ada);
  await socket.emit('message.send', { c: room['id'], clientId: randomUUID(), body });
  await socket.emit('message.send', { c: body, clientId: body, body: {} });
  socket.close();
  await ada.get(`/nowhere?token=${unknown}`);
  await app.close();
  await until(() => written().includes('shutdown.completed'));

  const lines = written().trim().split('\n');
  for (const line of lines) {
    const entry = JSON.parse(line) as Record<string, unknown>;
    expect(entry).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level: expect.stringMatching(/^(debug|info|warn|error|fatal)$/),
      msg: expect.any(String),
    });
    expect({ line, known: known.has(String(entry['event'])) }).toEqual({ line, known: true });
  }
  const requests = lines.filter((line) => line.includes('"http.request"')).map((line) => JSON.parse(line) as object);
  expect(requests.length).toBeGreaterThanOrEqual(7);
  for (const request of requests) {
    expect(Object.keys(request).toSorted()).toEqual(['dur_ms', 'event', 'level', 'msg', 'req', 'reqId', 'res', 'time']);
    expect(request).toMatchObject({ req: { id: expect.any(String) }, res: { status: expect.any(Number) } });
  }
  const secrets = [
    body,
    query,
    header,
    title,
    unknown,
    ada.password,
    ada.accessToken,
    ada.refreshToken,
    ada.identifier,
  ];
  for (const secret of secrets) expect(written()).not.toContain(secret);
});

it('keeps the file small: a new one when it is full, and the oldest is removed', async () => {
  const file = join(folder, 'rotating.log');
  const log = await createLog({
    level: 'info',
    file,
    fileOnly: true,
    pretty: false,
    base: {},
    rotation: { size: '1k', keep: 2 },
  });
  const filler = 'x'.repeat(400);
  for (let i = 0; i < 24; i++) {
    log.info('shutdown.step', { i, filler });
    await until(() => written().includes(`"i":${i},`) || files().length > 3);
  }
  await until(() => files().length === 3);
  const last = readFileSync(join(folder, files().at(-1) ?? ''), 'utf8') + written();
  expect(last).toContain('"i":23,');
  expect(written()).not.toContain('"i":0,');
});
