import { once } from 'node:events';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import { HttpClient } from '../support/http-client.js';
import { register } from '../support/people.js';
import { startServerProcess, temporaryFolder, untilReady, type ServerProcess } from '../support/server-process.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { throughProxy, upstreamOf } from './support/proxy.js';
import { makePackage, type Package } from './support/package.js';
import { DURABILITY_OFF, full, World, type Scene } from './support/world.js';

let world: World;
let planted: Package;
let scene: Scene;
const servers: ServerProcess[] = [];
beforeAll(async () => {
  world = await World.start(DURABILITY_OFF);
  planted = await makePackage({ decoys: true });
});
afterAll(async () => {
  await planted.remove();
  await world.stop();
});
beforeEach(async () => {
  scene = await world.database();
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop('SIGKILL');
});

async function start(environment: Record<string, string>, entry?: string): Promise<ServerProcess> {
  const server = await startServerProcess(
    {
      DATABASE_URL: scene.url,
      APP_SECRET: 'exit-secret-exit-secret-exit-secret-exit',
      NODE_ENV: 'test',
      ...environment,
    },
    { waitUntilReady: false, ...(entry ? { entry } : {}) },
  );
  servers.push(server);
  return server;
}

async function inPhase(server: ServerProcess, phase: string): Promise<void> {
  for (;;) {
    const body = await fetch(`${server.url}/ready`).then(
      (answer) => answer.json() as Promise<{ phase: string }>,
      () => undefined,
    );
    if (body?.phase === phase) return;
    await delay(10);
  }
}

/** The server sends itself a SIGTERM in that phase. */
const signalAt = (phase: string): Record<string, string> => ({
  SIGNAL_AT: phase,
  NODE_OPTIONS: `--import ${pathToFileURL(join(import.meta.dirname, 'support/signal-at.mjs')).href}`,
});

it('a port that is in use ends with 23 and the way out', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const server = await start({ PORT: String(port) });
  expect(await server.exited).toBe(23);
  expect(server.output()).toContain(`Port ${port} is in use`);
  other.close();
});

it('three bad variables end with 10, each named with what it may be', async () => {
  const server = await start({ BOOT_DEADLINE: 'soon', DB_MIGRATE: 'never', DATABASE_URL: 'mysql://u:canary-pw@h/d' });
  expect(await server.exited).toBe(10);
  for (const name of ['BOOT_DEADLINE', 'DB_MIGRATE', 'DATABASE_URL']) expect(server.output()).toContain(name);
  expect(server.output()).not.toContain('canary-pw');
});

it('a folder that cannot be used ends with 10, its name and what to do', async () => {
  const server = await start({ DATA_DIR: '/dev/full/parley', APP_SECRET: '' });
  expect(await server.exited).toBe(10);
  expect(server.output()).toContain('the folder DATA_DIR cannot be used (ENOTDIR): /dev/full/parley');
  expect(server.output()).toContain('name another place with DATA_DIR');
});

it.each([
  ['is missing', undefined],
  ['is cut off', '{ "format"'],
])('a schema manifest that %s ends with 10, the file and what to do', async (_name, text) => {
  const file = join(planted.folder, 'prisma/schema.manifest.json');
  const whole = await readFile(file);
  await (text === undefined ? rm(file) : writeFile(file, text));
  try {
    const server = await start({}, planted.entry);
    expect(await server.exited).toBe(10);
    expect(server.output()).toMatch(/schema manifest cannot be used/);
    expect(server.output()).toContain(file);
  } finally {
    await writeFile(file, whole);
  }
});

it('a wrong password ends with 11 at the first attempt, and is written nowhere', async () => {
  const url = new URL(scene.url);
  url.password = 'canary-pw';
  const server = await start({ DATABASE_URL: url.href });
  expect(await server.exited).toBe(11);
  expect(server.output()).toMatch(/28P01/);
  expect(server.output()).not.toMatch(/db\.connect_retry|canary-pw/);
});

it('a database that comes back: liveness stays 200, the probe tells the fault, then READY', async () => {
  const proxy = await TcpProxy.start(upstreamOf(scene.url));
  proxy.set('refuse');
  const server = await start({ DATABASE_URL: throughProxy(scene.url, proxy), DB_CONNECT_DELAY_MS: '250' });
  await inPhase(server, 'connecting');
  const health = new Set<number>();
  for (let retries = 0; retries < (full ? 15 : 4);) {
    health.add((await fetch(`${server.url}/health`)).status);
    retries = server.output().split('db.connect_retry').length - 1;
    await delay(20);
  }
  expect(await (await fetch(`${server.url}/ready`)).json()).toMatchObject({
    status: 'not_ready',
    phase: 'connecting',
    checks: {
      schema: { code: 'ECONNRESET', class: expect.any(String), hint: expect.any(String), attempt: expect.any(Number) },
    },
  });
  expect([...health]).toEqual([200]);
  proxy.set('pass');
  await untilReady(server);
  expect(await server.stop()).toBe(0);
  await proxy.stop();
});

it('a migration that fails ends with 13; the probe shows SQLSTATE, file and line while it is held', async () => {
  const name = '20990101000000_broken';
  const broken = await makePackage({ migrations: { [name]: '-- lifecycle: expand\nSELECT 1;\nSELECT oops;\n' } });
  const environment = { BOOT_FAIL_HOLD_MS: '1500', BOOT_BLOCKED_HOLD_MS: '0' };
  const server = await start(environment, broken.entry);
  for (;;) {
    const answer = await fetch(`${server.url}/ready`).catch(() => undefined);
    const { checks } = ((await answer?.json()) ?? {}) as { checks?: { schema: { code?: string; hint?: string } } };
    if (checks?.schema.code !== '42703') continue;
    expect(answer?.status).toBe(503);
    expect(checks.schema.hint).toContain(`${name}, line 3`);
    break;
  }
  expect(await server.exited).toBe(13);
  expect(server.output()).not.toContain('replica.lease_failed');
  const again = await start(environment, broken.entry);
  expect(await again.exited).toBe(13);
  expect(again.output()).toContain('migration.quarantined');
  expect(again.output()).not.toContain('migration.started');
  await broken.remove();
});

describe('a stop signal during the boot', () => {
  it.each(['listening', 'config', 'creating'])(
    'in phase %s ends with 143, and nothing was asked of the database',
    async (phase) => {
      const environment = phase === 'creating' ? { DECOYS: 'signal' } : signalAt(phase);
      const server = await start(environment, phase === 'creating' ? planted.entry : undefined);
      expect(await server.exited).toBe(143);
      expect(server.output()).toContain('"event":"boot.aborted"');
      expect(server.output()).not.toMatch(/TypeError|\bdestroy/i);
      expect(await scene.sql("SELECT to_regclass('_prisma_migrations') AS history")).toEqual([{ history: null }]);
    },
  );

  it('in phase embedded ends with 143; no server is left, and the next start finds nothing half made', async () => {
    const { path, remove } = await temporaryFolder();
    const environment = { DATABASE_URL: '', DATA_DIR: path, APP_SECRET: '' };
    const server = await start({ ...environment, ...signalAt('embedded') });
    expect(await server.exited).toBe(143);
    expect(await readdir(join(path, 'pg'))).toEqual([]);
    const next = await start(environment);
    await untilReady(next);
    expect(await next.stop()).toBe(0);
    await remove();
  });

  it('while the database is away ends with 143; health was 200 all the time', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const server = await start({ DATABASE_URL: `postgresql://u:p@127.0.0.1:${port}/d` });
    await inPhase(server, 'connecting');
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    const answer = await fetch(`${server.url}/ready`);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(await server.stop()).toBe(143);
  });

  it('while another replica has the lock ends with 143; the probe named the holder', async () => {
    const holder = new Client({ connectionString: scene.url, application_name: 'another replica' });
    await holder.connect();
    await holder.query('SELECT pg_advisory_lock(42424242)');
    const server = await start({});
    await inPhase(server, 'waiting_lock');
    for (;;) {
      const answer = await fetch(`${server.url}/ready`);
      expect(answer.headers.get('retry-after')).toBe('5');
      if (JSON.stringify(await answer.json()).includes('another replica')) break;
      await delay(50);
    }
    expect(await server.stop('SIGINT')).toBe(130);
    await holder.end();
    expect(await scene.locks()).toEqual([]);
  });

  it('while a module hangs: the second one ends the process at once', async () => {
    const server = await start({ DECOYS: 'hang' }, planted.entry);
    await inPhase(server, 'starting');
    while (!server.output().includes('decoy init: answered')) await delay(10);
    server.child.kill('SIGTERM');
    server.child.kill('SIGTERM');
    expect(await server.exited).toBe(143);
  });

  it('right after READY is an orderly stop: exit 0', async () => {
    const server = await start({});
    await untilReady(server);
    expect(await server.stop()).toBe(0);
    expect(server.output()).toContain('shutdown.completed');
  });
});

describe('the embedded server and the whole process', () => {
  it('kill -9 of Parley: the next start adopts the server, and the data is there', async () => {
    const { path, remove } = await temporaryFolder();
    const environment = { DATABASE_URL: '', DATA_DIR: path, APP_SECRET: '' };
    const first = await start(environment);
    await untilReady(first);
    const ada = await register(first.url, 'Ada');
    await first.stop('SIGKILL');

    const second = await start(environment);
    await untilReady(second);
    expect(second.output()).toContain('embedded.adopted');
    const { status } = await new HttpClient(second.url).post('/api/v1/auth/login', {
      identifier: ada.identifier,
      password: ada.password,
    });
    expect(status).toBe(200);
    expect(await second.stop()).toBe(0);
    await remove();
  });
});

it('a heap snapshot is taken on a signal, only when asked for at start, and only its owner may read it', async () => {
  const folder = await temporaryFolder();
  const server = await startServerProcess({
    DATABASE_URL: scene.url,
    APP_SECRET: 'exit-secret-exit-secret-exit-secret-exit',
    NODE_ENV: 'test',
    NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder.path}`,
  });
  servers.push(server);
  server.child.kill('SIGUSR2');
  // The answer comes after the snapshot is written: the process does nothing else meanwhile.
  let names: string[] = [];
  while (names.length === 0) {
    await delay(50);
    names = await readdir(folder.path);
  }
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  expect(names).toEqual([expect.stringMatching(/^Heap\..*\.heapsnapshot$/)]);
  const file = join(folder.path, names[0] ?? '');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ snapshot: { node_count: expect.any(Number) } });
  await folder.remove();
});
