import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { connect as connectTo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import { Client } from 'pg';
import { register } from '../support/people.js';
import { root, startServerProcess, untilReady, type ServerProcess } from '../support/server-process.js';
import { makePackage, type Package } from './support/package.js';
import { DURABILITY_OFF, full, World, type Scene } from './support/world.js';

const SLOW = '20990101000000_slow';
const KEY = 4711;
/** Waits for whoever holds the key, as long as it takes: a migration of which the test decides when it ends. */
const slow = `-- lifecycle: expand\nSET LOCAL lock_timeout = 0;\nSELECT pg_advisory_xact_lock(${KEY});\n`;
const secret = 'gate-secret-gate-secret-gate-secret-gate';

let world: World;
let product: Package;
let scene: Scene;
let holder: Client | undefined;
const servers: ServerProcess[] = [];

beforeAll(async () => {
  world = await World.start({ ...DURABILITY_OFF, log_statement: 'all', log_line_prefix: '%d|%a|' });
  product = await makePackage({ migrations: { [SLOW]: slow }, server: world.server.url, decoys: true });
});
afterAll(async () => {
  await product.remove();
  await world.stop();
});
beforeEach(async () => {
  scene = await world.database();
});
afterEach(async () => {
  await holder?.end();
  holder = undefined;
  for (const server of servers.splice(0)) await server.stop('SIGKILL');
});

async function start(environment: Record<string, string> = {}): Promise<ServerProcess> {
  const server = await startServerProcess(
    { DATABASE_URL: scene.url, APP_SECRET: secret, NODE_ENV: 'test', ...environment },
    { waitUntilReady: false, entry: product.entry },
  );
  servers.push(server);
  return server;
}

/** Starts the server and holds it in the slow migration. */
async function heldInMigration(environment: Record<string, string> = {}): Promise<ServerProcess> {
  holder = new Client({ connectionString: scene.url, application_name: 'test' });
  await holder.connect();
  await holder.query(`SELECT pg_advisory_lock(${KEY})`);
  const server = await start(environment);
  let ended = false;
  void server.exited.then(() => (ended = true));
  for (;;) {
    const { checks } = await probe(server);
    if (checks?.schema.step?.name === SLOW) return server;
    if (ended) throw new Error(`the server ended:\n${server.output()}`);
    await delay(20);
  }
}

const release = async (): Promise<void> => void (await holder?.query(`SELECT pg_advisory_unlock(${KEY})`));

interface Probe {
  status: string;
  phase: string;
  checks?: { schema: { step?: { i: number; n: number; name: string }; since?: string } };
  phases?: { phase: string; ms: number }[];
}
const probe = async (server: ServerProcess, path = '/ready'): Promise<Probe> =>
  fetch(`${server.url}${path}`).then(
    (answer) => answer.json() as Promise<Probe>,
    () => ({ status: 'none', phase: 'none' }),
  );

/** The status line of a websocket upgrade, byte for byte as a client would send it. */
async function upgrade({ port }: ServerProcess): Promise<string> {
  const socket = connectTo(port, '127.0.0.1');
  socket.write(
    'GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: parley\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  );
  const [head] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return head.toString();
}

it('a flood during a slow migration meets only 200 and 503, and no statement or tick passes the gate', async () => {
  const server = await heldInMigration({ DECOYS: 'watch' });
  const requests: [string, RequestInit, number][] = [
    ['/health', {}, 200],
    ['/livez', { method: 'HEAD' }, 200],
    ['/ready', {}, 503],
    ['/startup', {}, 503],
    ['/api/v1/users/me', {}, 503],
    ['/api/v1/auth/register', { method: 'POST', body: '{"identifier":"a"}' }, 503],
    ['/api/v1/conversations/x/messages', { method: 'POST', body: 'x'.repeat(100_000) }, 503],
    ['/socket.io/?EIO=4&transport=polling', {}, 503],
    ['/socket.io/?EIO=4&transport=polling&sid=x', { method: 'POST', body: '40' }, 503],
    ['/no/such/path', { method: 'DELETE' }, 503],
  ];
  const until = Date.now() + (full ? 60_000 : 0);
  for (let round = 0; round < 60 || Date.now() < until; round++) {
    const answers = await Promise.all(requests.map(([path, init]) => fetch(`${server.url}${path}`, init)));
    expect(answers.map((answer) => answer.status)).toEqual(requests.map(([, , status]) => status));
    for (const answer of answers) {
      expect(answer.headers.get('retry-after')).toBe(answer.status === 503 ? '5' : null);
      await answer.arrayBuffer();
    }
    const head = await upgrade(server);
    expect(head).toMatch(/^HTTP\/1\.1 503 .*\r\nRetry-After: 5\r\n/s);
  }
  const refused = await fetch(`${server.url}/api/v1/users/me`);
  expect(refused.headers.get('content-type')).toBe('application/problem+json');
  expect(await refused.json()).toMatchObject({
    type: 'urn:parley:problem:starting',
    code: 'starting',
    status: 503,
    detail: expect.stringContaining('migrating'),
    instance: '/api/v1/users/me',
    requestId: expect.any(String),
    retryAfterMs: 5_000,
  });
  const n =
    readdirSync(join(root, 'prisma/migrations'), { withFileTypes: true }).filter((e) => e.isDirectory()).length + 1;
  expect(await probe(server)).toMatchObject({
    status: 'not_ready',
    phase: 'migrating',
    checks: { schema: { step: { i: n, n, name: SLOW }, since: expect.any(String) } },
  });
  // The work of the background has been due for a long time by now.
  expect(server.output()).not.toMatch(/decoy (job|consumer|init):/);

  await release();
  await untilReady(server);
  const { phases } = await probe(server, '/startup');
  expect(phases?.map(({ phase }) => phase)).toEqual([
    'listening',
    'config',
    'creating',
    'connecting',
    'preflight',
    'checking',
    'waiting_lock',
    'reconciling',
    'migrating',
    'seeding',
    'verifying',
    'starting',
  ]);
  for (const early of ['constructor', 'factory', 'gateway']) {
    expect(server.output()).toContain(`decoy ${early}: DatabaseNotVerifiedError`);
  }
  for (const late of ['init', 'consumer', 'job']) {
    while (!server.output().includes(`decoy ${late}: answered`))
      await once(server.child.stdout ?? server.child, 'data');
  }

  const statements = (await world.statements(scene.name)).filter((line) => !line.includes('|test|'));
  const marker = statements.findIndex((line) => line.includes("SELECT 'parley:schema-verified'"));
  expect(marker).toBeGreaterThan(20);
  const foreign = statements.slice(0, marker).filter((line) => !/^\w+\|(parley\/lifecycle|\[unknown\])/.test(line));
  expect(foreign).toEqual([]);
  expect(statements.findIndex((line) => line.includes('decoy:'))).toBeGreaterThan(marker);
});

const heard = (client: Socket, event: string) => new Promise<void>((resolve) => client.once(event, () => resolve()));

it('a Socket.IO client that connects during the boot is connected by itself once the server is ready', async () => {
  const before = await start();
  await untilReady(before);
  const ada = await register(before.url, 'Ada');
  expect(await before.stop()).toBe(0);
  await scene.sql(`DELETE FROM _prisma_migrations WHERE migration_name = '${SLOW}'`);

  const server = await heldInMigration({ SOCKET_POLLING: 'true' });
  const clients = [['polling', 'websocket'], ['websocket']].map((transports) =>
    io(`${server.url}/v1`, {
      transports,
      forceNew: true,
      reconnectionDelay: 100,
      reconnectionDelayMax: 300,
      auth: { token: ada.accessToken, deviceId: ada.deviceId, protocol: 1 },
    }),
  );
  const ready = Promise.all(clients.map((client) => heard(client, 'ready')));
  await Promise.all(clients.map((client) => heard(client, 'connect_error')));
  expect(clients.map((client) => client.active)).toEqual([true, true]);
  await release();
  await ready;
  expect(clients.map((client) => client.connected)).toEqual([true, true]);
  for (const client of clients) client.close();
});

describe('a defect in the application ends the boot with 21', () => {
  it.each([
    ['the database used in a constructor', 'constructor', /used before its schema was verified/, 'connecting'],
    ['a module whose onModuleInit throws', 'throw', /the decoy does not start/, 'starting'],
  ])('%s', async (_name, mode, words) => {
    const server = await start({ DECOYS: mode });
    expect(await server.exited).toBe(21);
    expect(server.output()).toMatch(words);
    expect(server.output()).toMatch(/"event":"boot\.failed"/);
    const open = `SELECT application_name FROM pg_stat_activity WHERE datname = '${scene.name}' AND application_name LIKE 'parley%'`;
    expect(await world.sql(open)).toEqual([]);
    if (mode === 'throw') expect(server.output()).toContain('decoy shutdown: reached');
  });
});
