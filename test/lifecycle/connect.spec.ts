import { once } from 'node:events';
import { connect as connectTo, createServer, type AddressInfo } from 'node:net';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { TcpProxy } from '../support/tcp-proxy.js';
import { doctor } from '../../src/platform/database/lifecycle/doctor.js';
import { boot, bootOptions, names } from './support/boot.js';
import { throughProxy, upstreamOf } from './support/proxy.js';
import { DURABILITY_OFF, databaseUrl, steps, World, type Scene } from './support/world.js';

let world: World;
let scene: Scene;
let build: string;
const proxies: TcpProxy[] = [];
beforeAll(async () => {
  world = await World.start({ ...DURABILITY_OFF, max_connections: '12', superuser_reserved_connections: '0' });
});
afterAll(() => world.stop());
beforeEach(async () => {
  scene = await world.database();
  build = await scene.build(steps(2));
});
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.stop();
  await scene.check();
});

async function proxied(): Promise<{ proxy: TcpProxy; url: string }> {
  const proxy = await TcpProxy.start(upstreamOf(scene.url));
  proxies.push(proxy);
  return { proxy, url: throughProxy(scene.url, proxy) };
}

const withUser = (user: string, password: string, url = scene.url): string => {
  const changed = new URL(url);
  changed.username = user;
  changed.password = password;
  return changed.href;
};

describe('a server that is away', () => {
  it('for a while: backs off, then boots', async () => {
    const { proxy, url } = await proxied();
    proxy.set('refuse');
    const outcome = await boot(scene, build, {
      connectionString: url,
      onEvent: (event) => {
        if (event.event === 'db.connect_retry' && event.attempt === 3) proxy.set('pass');
      },
    });
    expect(outcome.result?.applied).toHaveLength(2);
    expect(outcome.events.filter((event) => event.event === 'db.connect_retry')).toHaveLength(3);
  });

  it('for ever: exit 11 at the deadline, with class, attempts and next step', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    const { error, phases, events } = await boot(scene, build, {
      connectionString: throughProxy(scene.url, { port }),
      settings: { deadlineMs: 2_000, connectMaxRetries: 2 },
    });
    expect(error).toMatchObject({ exitCode: 11, code: 'ECONNREFUSED', details: { class: 'refused' } });
    expect(error?.hint).toContain('Is PostgreSQL running');
    expect(phases.at(-1)?.detail).toMatchObject({ code: 'ECONNREFUSED' });
    const levels = events.filter((event) => event.event === 'db.connect_retry').map((event) => event.level);
    expect(levels.slice(0, 2)).toEqual(['warn', 'error']);
  });

  it('behind a black hole: each attempt ends by itself, exit 11 at the deadline', async () => {
    const { proxy, url } = await proxied();
    proxy.set('blackhole');
    const { error, events } = await boot(scene, build, {
      connectionString: url,
      settings: { deadlineMs: 8_000, connectTimeoutMs: 500 },
    });
    expect(error).toMatchObject({ exitCode: 11, details: { class: 'timeout' } });
    // With the 5 s that are the default there would be one.
    expect(events.filter((event) => event.event === 'db.connect_retry').length).toBeGreaterThan(1);
  });

  it('full (53300): retried until a place is free', async () => {
    const crowd: Client[] = [];
    try {
      for (;;) {
        const client = new Client({ connectionString: scene.url });
        client.on('error', () => undefined);
        await client.connect();
        crowd.push(client);
      }
    } catch (error) {
      expect(error).toMatchObject({ code: '53300' });
    }
    const outcome = await boot(scene, build, {
      onEvent: (event) => {
        if (event.event !== 'db.connect_retry') return;
        expect(event.class).toBe('capacity');
        for (const client of crowd.splice(0)) void client.end();
      },
    });
    expect(outcome.result?.applied).toHaveLength(2);
    expect(names(outcome)).toContain('db.connect_retry');
  });

  it('still starting (57P03): retried until it has started', async () => {
    let refusals = 0;
    const fake = createServer((socket) => {
      socket.on('error', () => undefined);
      if (refusals++ === 2) {
        const real = connectTo(upstreamOf(scene.url));
        real.on('error', () => socket.destroy());
        socket.pipe(real).pipe(socket);
        return;
      }
      socket.once('data', () => {
        const fields = ['SFATAL', 'VFATAL', 'C57P03', 'Mthe database system is starting up'];
        const body = Buffer.from(`${fields.join('\0')}\0\0`);
        const head = Buffer.alloc(5, 'E');
        head.writeInt32BE(body.length + 4, 1);
        socket.end(Buffer.concat([head, body]));
      });
    }).listen(0, '127.0.0.1');
    await once(fake, 'listening');
    const { port } = fake.address() as AddressInfo;
    const { result, events } = await boot(scene, build, { connectionString: throughProxy(scene.url, { port }) });
    fake.close();
    expect(result?.applied).toHaveLength(2);
    const retries = events.filter((event) => event.event === 'db.connect_retry');
    expect(retries.map((event) => event.class)).toEqual(['starting', 'starting']);
  });
});

describe('a server that refuses ends the boot at the first attempt', () => {
  const secret = 'not-the-Passw0rd';

  it('wrong password', async () => {
    const { error, events } = await boot(scene, build, { connectionString: withUser('parley', secret) });
    expect(error).toMatchObject({ exitCode: 11, code: '28P01' });
    expect(error?.message).toMatch(/"parley".*scene_.*28P01\/P1000/);
    expect(error?.hint).toContain('percent-encoded');
    expect(events.map((event) => event.event)).toEqual(['db.connect_fatal', 'boot.failed']);
    expect(JSON.stringify(events) + error?.message + error?.hint).not.toContain(secret);
  });

  it('unknown database', async () => {
    const { error } = await boot(scene, build, { connectionString: databaseUrl(scene.url, 'nowhere') });
    expect(error).toMatchObject({ exitCode: 11, code: '3D000' });
    expect(error?.hint).toContain('CREATE DATABASE "nowhere"');
  });

  it('TLS demanded of a server without it', async () => {
    const { url } = await proxied();
    const { error } = await boot(scene, build, { connectionString: `${url}?sslmode=require` });
    expect(error).toMatchObject({ exitCode: 11, details: { class: 'tls' } });
    expect(error?.hint).toContain('sslmode');
  });

  it('no line in pg_hba.conf', async () => {
    const file = join(world.server.dir, 'data', 'pg_hba.conf');
    const before = await readFile(file, 'utf8');
    await world.sql('CREATE ROLE stranger LOGIN PASSWORD $$x$$');
    await writeFile(file, `local all stranger reject\nhost all stranger all reject\n${before}`);
    await world.sql('SELECT pg_reload_conf()');
    const { error } = await boot(scene, build, { connectionString: withUser('stranger', 'x') });
    await writeFile(file, before);
    await appendFile(file, '');
    await world.sql('SELECT pg_reload_conf()');
    expect(error).toMatchObject({ exitCode: 11, code: '28000', details: { class: 'rejected' } });
    expect(error?.hint).toContain('pg_hba.conf');
  });

  it('something that is not PostgreSQL', async () => {
    const web = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    const { port } = web.address() as AddressInfo;
    const { error } = await boot(scene, build, {
      connectionString: throughProxy(scene.url, { port }),
      settings: { deadlineMs: 1_500 },
    });
    web.close();
    expect(error).toMatchObject({ exitCode: 11 });
  });

  it('a URL that is none', async () => {
    const { error } = await boot(scene, build, { connectionString: `postgresql://u:p/${secret}@h:x/y` });
    expect(error).toMatchObject({ exitCode: 10 });
    expect(error?.message).not.toContain(secret);
  });

  it('a role without rights', async () => {
    await world.sql("CREATE ROLE visitor LOGIN PASSWORD 'v'");
    const { error } = await boot(scene, build, { connectionString: withUser('visitor', 'v') });
    expect(error).toMatchObject({ exitCode: 24 });
    expect(error?.hint).toContain('GRANT');
  });
});

it('verify mode waits for a job, and exits 20 when nobody comes', async () => {
  const settings = { migrate: 'verify', deadlineMs: 2_500 } as const;
  const alone = await boot(scene, build, { settings });
  expect(alone.error).toMatchObject({ exitCode: 20 });
  expect(await scene.sql("SELECT to_regnamespace('lifecycle') AS s")).toEqual([{ s: null }]);
  const waiting = boot(scene, build, { settings });
  expect((await boot(scene, build)).result?.applied).toHaveLength(2);
  expect((await waiting).result).toMatchObject({ fastPath: true, applied: [] });
});

it('doctor tells faults apart, each with its next step', async () => {
  const look = async (connectionString: string): Promise<Record<string, string>> => {
    const found = await doctor(bootOptions(scene, build, { connectionString }));
    for (const { result, next } of found) if (result === 'failed') expect(next).not.toBe('');
    return Object.fromEntries(found.map(({ check, result, message }) => [check, `${result}: ${message}`]));
  };
  const healthy = await look(scene.url);
  expect(healthy).toMatchObject({
    connection: /./.exec('ok') ? expect.stringMatching(/^ok/) : '',
    pooler: expect.stringMatching(/^ok/),
  });
  expect(healthy.schema).toMatch(/^warning: work is pending/);
  expect(healthy.durability).toMatch(/^warning: fsync=off/);
  expect((await look(withUser('parley', 'wrong'))).connection).toMatch(/^failed: auth/);
  expect((await look(databaseUrl(scene.url, 'nowhere'))).connection).toMatch(/^failed: database/);
  expect((await look(withUser('visitor', 'v'))).rights).toMatch(/^failed: role "visitor"/);
  const { proxy, url } = await proxied();
  expect((await look(`${url}?sslmode=require`)).connection).toMatch(/^failed: tls/);
  proxy.set('blackhole');
  expect((await look(url)).connection).toMatch(/^failed: timeout/);
  proxy.set('refuse');
  expect((await look(url)).connection).toMatch(/^failed: lost/);
});
