import { setTimeout as delay } from 'node:timers/promises';
import { startServerProcess, untilReady, type ServerProcess } from '../support/server-process.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { throughProxy, upstreamOf } from './support/proxy.js';
import { DURABILITY_OFF, World, type Scene } from './support/world.js';

/** The first bytes of a connection of the application pool: the schema is verified, the modules are about to start. */
const POOL = 'parley/app/';

let world: World;
let scene: Scene;
let proxy: TcpProxy;
let server: ServerProcess;
beforeAll(async () => {
  world = await World.start(DURABILITY_OFF);
  scene = await world.database();
});
afterAll(() => world.stop());
beforeEach(async () => {
  proxy = await TcpProxy.start(upstreamOf(scene.url));
});
afterEach(async () => {
  await server.stop('SIGKILL');
  await proxy.stop();
});

async function start(environment: Record<string, string> = {}): Promise<void> {
  server = await startServerProcess(
    {
      DATABASE_URL: throughProxy(scene.url, proxy),
      APP_SECRET: 'start-outage-secret-start-outage-secret',
      NODE_ENV: 'test',
      DB_CONNECT_DELAY_MS: '250',
      ...environment,
    },
    { waitUntilReady: false },
  );
}

async function retried(times = 1): Promise<void> {
  while (server.output().split('"event":"db.connect_retry"').length - 1 < times) await delay(10);
}

it('connections cut while the modules start are made anew, and the boot goes on', async () => {
  const cut = (): void => proxy.reset();
  const cuts = (async () => {
    for (const text of [POOL, POOL, 'signing_keys', 'server_epoch', 'replica_lease'])
      await proxy.whenClientSends(text, cut);
  })();
  await start();
  await cuts;
  await untilReady(server);
  expect(server.output()).not.toMatch(/boot\.failed|replica\.lease_failed/);
  expect(server.output()).toMatch(/"event":"db.connect_retry".*"phase":"starting"/);
  expect(await server.stop()).toBe(0);
});

it('a database that stays away is waited for: liveness 200, the probe names the fault, then READY', async () => {
  const away = proxy.whenClientSends(POOL, () => proxy.set('refuse'));
  await start();
  await away;
  await retried(2);
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  const answer = await fetch(`${server.url}/ready`);
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({
    phase: 'starting',
    checks: { schema: { code: 'ECONNRESET', class: 'lost', hint: expect.any(String), attempt: expect.any(Number) } },
  });
  proxy.set('pass');
  await untilReady(server);
});

it('for longer than the deadline ends with 11 and the next step', async () => {
  const away = proxy.whenClientSends(POOL, () => proxy.set('refuse'));
  // A busy machine may take seconds to get there.
  await start({ BOOT_DEADLINE: '8' });
  await away;
  expect(await server.exited).toBe(11);
  expect(server.output()).toMatch(/no progress for 8 s in phase starting: cannot connect as/);
});

it('a stop signal meanwhile ends with 143', async () => {
  const away = proxy.whenClientSends(POOL, () => proxy.set('refuse'));
  await start();
  await away;
  await retried();
  expect(await server.stop()).toBe(143);
});
