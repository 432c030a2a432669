import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { HttpClient } from '../support/http-client.js';
import { register } from '../support/people.js';
import { startServerProcess, untilReady, type ServerProcess } from '../support/server-process.js';
import { makePackage, type Package } from './support/package.js';
import { DURABILITY_OFF, World, type Scene } from './support/world.js';

let world: World;
let scene: Scene;
let expanded: Package;
let contracted: Package;
const servers: ServerProcess[] = [];
beforeAll(async () => {
  world = await World.start(DURABILITY_OFF);
  const server = world.server.url;
  const add = '-- lifecycle: expand\nALTER TABLE "users" ADD COLUMN IF NOT EXISTS "nickname" TEXT;\n';
  const narrow = '-- lifecycle: contract epoch=99\nALTER TABLE "users" DROP COLUMN IF EXISTS "nickname";\n';
  const expand = { '20990101000000_expand': add };
  expanded = await makePackage({ server, migrations: expand });
  contracted = await makePackage({ server, migrations: { ...expand, '20990102000000_contract': narrow } });
});
afterAll(async () => {
  await expanded.remove();
  await contracted.remove();
  await world.stop();
});
beforeEach(async () => {
  scene = await world.database();
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop('SIGKILL');
});

/** A replica of today's build, or of another one. */
async function start(build?: Package): Promise<ServerProcess> {
  const server = await startServerProcess(
    {
      DATABASE_URL: scene.url,
      APP_SECRET: 'roll-secret-roll-secret-roll-secret-roll',
      NODE_ENV: 'test',
      SCHEMA_GUARD_INTERVAL_MS: '200',
      BOOT_BLOCKED_HOLD_MS: '0',
    },
    { waitUntilReady: false, ...(build ? { entry: build.entry } : {}) },
  );
  servers.push(server);
  return server;
}

async function ready(build?: Package): Promise<ServerProcess> {
  const server = await start(build);
  await untilReady(server);
  return server;
}

/** Each writes, and reads what the other has written. */
async function serveTogether(one: ServerProcess, other: ServerProcess): Promise<void> {
  const [ada, ben] = [await register(one.url, 'Ada'), await register(other.url, 'Ben')];
  const created = await ada.post<{ id: string }>('/api/v1/conversations', { type: 'direct', memberIds: [ben.id] });
  const path = `/api/v1/conversations/${created.body.id}/messages`;
  for (const author of [ada, ben]) {
    const sent = await author.post(path, { clientId: randomUUID(), body: 'hello' });
    expect(sent.status).toBe(201);
  }
  for (const [server, person] of [
    [one, ben],
    [other, ada],
  ] as const) {
    const { body } = await new HttpClient(server.url, person.accessToken).get<{ items: unknown[] }>(path);
    expect(body.items).toHaveLength(2);
  }
}

it('the old build serves while the new one migrates, and both serve after it', async () => {
  const old = await ready();
  const young = await ready(expanded);
  expect(young.output()).toContain('"migration":"20990101000000_expand"');
  await serveTogether(old, young);
  expect((await fetch(`${old.url}/ready`)).status).toBe(200);
});

it('the old build starts on the schema of the new one, and both serve', async () => {
  const young = await ready(expanded);
  const old = await ready();
  expect(old.output()).toContain('schema.ahead');
  await serveTogether(young, old);
});

it('a contract takes the old build out of service, and refuses it with 15 at its next start', async () => {
  const old = await ready(expanded);
  const young = await ready(contracted);
  while ((await fetch(`${old.url}/ready`)).status !== 503) await delay(20);
  expect((await fetch(`${old.url}/health`)).status).toBe(200);
  const again = await start(expanded);
  expect(await again.exited).toBe(15);
  expect((await fetch(`${young.url}/ready`)).status).toBe(200);
});
