import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect as open, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import WebSocket from 'ws';
import { cloneDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { connect, type Connection, type Person, register } from '../support/people.js';
import { type ServerProcess, startServerProcess } from '../support/server-process.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** Rows F49 to F62 of the fault matrix that need a whole process: what clients and their host do to it. */
const run = promisify(execFile);
let database: TestDatabase;
let server: ServerProcess;
let ada: Person;
const environment = {
  APP_SECRET: 'faults-secret-faults-secret-faults-secret',
  NODE_ENV: 'test',
  LOG_LEVEL: 'info',
  // Opens the door through which a test blocks the event loop, on a port of its own.
  NODE_OPTIONS: '--inspect-port=127.0.0.1:0',
};
const raw = new Set<Socket>();
let gone: TcpProxy;
let halfOpen: Connection;

beforeAll(async () => {
  database = await cloneDatabase();
  server = await startServerProcess({ ...environment, DATABASE_URL: database.url });
  ada = await register(server.url, 'Ada');
  // F44 begins here, since it takes the time of a ping and its timeout.
  gone = await TcpProxy.start({ host: '127.0.0.1', port: server.port });
  halfOpen = await connect({ ...ada, url: `http://127.0.0.1:${gone.port}` });
  gone.set('blackhole');
});
afterAll(async () => {
  halfOpen.close();
  await gone.stop();
  await server.stop();
  await database.drop();
});
/** S1, S3: the process is the same, and serves. */
afterEach(async () => {
  for (const socket of raw) socket.destroy();
  raw.clear();
  await eventually(async () => expect((await ada.get('/api/v1/users/me')).status).toBe(200));
  expect(server.child.exitCode).toBeNull();
});

const dial = async (): Promise<Socket> => {
  const socket = open(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  raw.add(socket);
  await once(socket, 'connect');
  return socket;
};
const residentMiB = async (): Promise<number> => {
  const status = await readFile(`/proc/${server.child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
};

it.each([
  ['gzip', (bomb: Buffer) => gzipSync(bomb, { level: 9 })],
  ['br', (bomb: Buffer) => brotliCompressSync(bomb, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })],
])('F52 fifty megabytes in a few kilobytes of %s are refused before they are unpacked', async (encoding, pack) => {
  const body = pack(Buffer.from(`{"identifier":"${'a'.repeat(50 * 1024 * 1024)}"}`));
  expect(body.length).toBeLessThan(64 * 1024);
  const before = await residentMiB();
  const answers = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const response = await fetch(`${server.url}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-encoding': encoding },
        body: new Uint8Array(body),
      });
      return [response.status, ((await response.json()) as { code: string }).code];
    }),
  );
  expect(answers).toEqual(Array.from({ length: 10 }, () => [413, 'payload_too_large']));
  // Unpacked they would be 500 MiB.
  expect((await residentMiB()) - before).toBeLessThan(150);
});

it('F53 five hundred connections that never finish their headers keep nobody from being served', async () => {
  const slow = await Promise.all(Array.from({ length: 500 }, dial));
  for (const socket of slow) socket.write('GET /api/v1/users/me HTTP/1.1\r\nHost: parley\r\nX-Slow: ');
  const bodies = await Promise.all(Array.from({ length: 50 }, dial));
  for (const socket of bodies) {
    socket.write(
      'POST /api/v1/auth/login HTTP/1.1\r\nHost: parley\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{',
    );
  }
  for (let i = 0; i < 20; i++) expect((await ada.get('/api/v1/users/me')).status).toBe(200);
});

it('F50 packets that are none close their own socket', async () => {
  const other = await connect(ada);
  for (const garbage of [
    '9',
    '4{',
    '42/v1,["message.send"',
    '451-/v1,["x",{"_placeholder":true,"num":0}]',
    '\u0000'.repeat(64),
  ]) {
    const socket = new WebSocket(`ws://127.0.0.1:${server.port}/socket.io/?EIO=4&transport=websocket`);
    await once(socket, 'message');
    const closed = once(socket, 'close');
    socket.send(garbage);
    socket.send(randomBytes(512));
    socket.send('9');
    await closed;
  }
  expect((await other.emit('sync', {})).ok).toBe(true);
  other.close();
});

it('F60 no file descriptor left: connections wait or fail, and it recovers', async () => {
  const pid = String(server.child.pid);
  const inUse = (await readdir(`/proc/${pid}/fd`)).length;
  const { stdout } = await run('prlimit', ['--pid', pid, '--nofile', '--noheadings', '--output', 'SOFT,HARD']);
  const [soft = '1024', hard = '1024'] = stdout.trim().split(/\s+/);
  await run('prlimit', ['--pid', pid, `--nofile=${inUse + 10}:${hard}`]);
  try {
    const crowd = Array.from({ length: 100 }, () => {
      const socket = open(server.port, '127.0.0.1');
      socket.on('error', () => undefined);
      raw.add(socket);
      return socket;
    });
    await eventually(async () => expect((await readdir(`/proc/${pid}/fd`)).length).toBeGreaterThanOrEqual(inUse + 9));
    for (const socket of crowd) socket.destroy();
  } finally {
    await run('prlimit', ['--pid', pid, `--nofile=${soft}:${hard}`]);
  }
});

it('F58 a blocked event loop: nothing is lost, and it goes on', async () => {
  const connection = await connect(ada);
  const created = await ada.post<{ id: string }>('/api/v1/conversations', { type: 'group', title: 'x', memberIds: [] });
  server.child.kill('SIGUSR1');
  let address: string | undefined;
  await eventually(async () => {
    address = /ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/.exec(server.output())?.[0];
    expect(address).toBeDefined();
    await Promise.resolve();
  });
  const inspector = new WebSocket(address ?? '');
  await once(inspector, 'open');
  const expression = 'const end = Date.now() + 3000; while (Date.now() < end);';
  const done = once(inspector, 'message');
  inspector.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } }));
  const sent = await Promise.all(
    Array.from({ length: 20 }, () =>
      connection.emit('message.send', { c: created.body.id, clientId: randomUUID(), body: 'while it stood still' }),
    ),
  );
  await done;
  inspector.close();
  expect(sent.every(({ ok }) => ok)).toBe(true);
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  expect(connection.socket.connected).toBe(true);
  connection.close();
});

it('F61 nobody reads standard output: the service goes on, what was lost is counted, and it ends when it is told to', async () => {
  const own = await cloneDatabase();
  const deaf = await startServerProcess({ ...environment, DATABASE_URL: own.url });
  try {
    const lost = async () => {
      const text = await (await fetch(`${deaf.url}/metrics`)).text();
      return Number(/^log_lines_dropped_total (\d+)/m.exec(text)?.[1] ?? 0);
    };
    const ask = async () => (await fetch(`${deaf.url}/api/v1/users/me`)).status;
    // A request id of 64 characters and an address make a line of some 400 bytes; one MiB waits before any is dropped.
    const flood = async () => {
      deaf.child.stdout?.pause();
      const before = await lost();
      while ((await lost()) === before) {
        const answers = await Promise.all(Array.from({ length: 200 }, ask));
        expect(answers.filter((status) => status !== 401 && status !== 503)).toEqual([]);
      }
    };
    await flood();
    deaf.child.stdout?.resume();
    const read = deaf.output().length;
    await eventually(async () => {
      await ask();
      expect(deaf.output().slice(read)).toContain('http.request');
    });
    await flood();
    expect(await deaf.stop()).toBe(0);
  } finally {
    await deaf.stop('SIGKILL');
    await own.drop();
  }
});

it('F44 a client that vanished without a word is noticed, and its socket closed', async () => {
  await eventually(async () => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text).toMatch(/^ws_connections 0$/m);
  }, 50_000);
});
