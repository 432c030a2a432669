import { setTimeout as delay } from 'node:timers/promises';
import { TcpProxy, type Upstream } from '../support/tcp-proxy.js';
import type { Replica } from './support/replicas.js';
import { stockProject } from './support/stock-project.js';
import { full, migrationName, record, steps, World, type Scene } from './support/world.js';
import { throughProxy, upstreamOf } from './support/proxy.js';

let world: World;
let scene: Scene;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.stop());
beforeEach(async () => {
  scene = await world.database();
});
afterEach(() => scene.check());

const seedNames = ['roles'];
const slow = migrationName(3, 'slow');
/** Two quick files, then one that takes its time in the middle. */
const files = (seconds: number) => ({
  ...steps(2),
  [slow]: `CREATE TABLE IF NOT EXISTS slow (id integer);\n${record(slow)}\nSELECT pg_sleep(${seconds});`,
});
const allOnce = { [migrationName(1)]: 1, [migrationName(2)]: 1, [slow]: 1, 'seed roles': 1 };

/** Waits until the server runs a statement that holds the text. */
async function running(text: string): Promise<void> {
  const sql = `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%${text}%' AND pid <> pg_backend_pid() AND datname = '${scene.name}'`;
  while ((await world.sql(sql)).length === 0) await delay(20);
}

const proxies: TcpProxy[] = [];
async function proxied(upstream: Upstream): Promise<TcpProxy> {
  const proxy = await TcpProxy.start(upstream);
  proxies.push(proxy);
  return proxy;
}
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.stop();
});

async function dies(replica: Replica, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  expect((await replica.exited).signal).toBe(signal);
}

describe('kill -9', () => {
  it.each([
    ['before the lock', 'pg_try_advisory_lock', 'before'],
    ['holding the lock, before any DDL', 'CREATE SCHEMA IF NOT EXISTS "lifecycle"', 'before'],
    ['between script and COMMIT', `INSERT INTO "public"._prisma_migrations`, 'before'],
    ['with row and COMMIT on their way', `INSERT INTO "public"._prisma_migrations`, 'sent'],
    ['between a file and the next', 'CREATE TABLE IF NOT EXISTS t2', 'before'],
    ['in the middle of a seed', 'seed roles', 'answered'],
    ['after verification, before the unlock', 'pg_advisory_unlock', 'before'],
  ] as const)('%s: the next replica goes on, nothing twice', async (_name, at, when) => {
    const build = await scene.build(files(0));
    scene.manifest = await scene.manifestOf(files(0));
    await dies(await scene.replica(build, { seedNames, fault: { at, when, signal: 'SIGKILL' } }));
    const next = await scene.replica(build, { seedNames });
    const result = await next.ready();
    if (at === 'pg_advisory_unlock') expect(result.fastPath).toBe(true);
    expect(await scene.ledger()).toEqual(allOnce);
    expect((await scene.history()).filter((row) => row.state !== 'applied')).toEqual([]);
  });

  it('in the middle of DDL: rolled back, the next replica finishes', async () => {
    const build = await scene.build(files(4));
    const first = await scene.replica(build, { seedNames });
    await running('pg_sleep(4)');
    first.kill();
    await dies(first);
    const next = await scene.replica(build, { seedNames });
    await next.ready();
    expect(await scene.ledger()).toEqual(allOnce);
    expect((await scene.history()).filter((row) => row.state !== 'applied')).toEqual([]);
  });

  it.each(full ? Array.from({ length: 8 }, (_, i) => `${25 * i + 1}-${25 * i + 25}`) : ['1-6'])(
    'storm, rounds %s: 4 replicas killed at random moments, then one more boot, and stock Prisma agrees',
    async (rounds) => {
      const [first = 0, last = 0] = rounds.split('-').map(Number);
      const build = await scene.build(files(0.02));
      scene.manifest = await scene.manifestOf(files(0.02));
      const stock = await stockProject(build);
      for (let round = first; round <= last; round++) {
        const storm = await world.database();
        storm.manifest = scene.manifest;
        const replicas = await Promise.all(Array.from({ length: 4 }, () => storm.replica(build, { seedNames })));
        // Each dies after a number of lines of its own, so that the moments spread over the whole boot.
        await Promise.all(
          replicas.map(async (replica) => {
            const lines = 1 + Math.floor(Math.random() * 24);
            await replica.said(() => replica.lines.length >= lines).catch(() => undefined);
            replica.kill();
            await replica.exited;
          }),
        );
        const survivor = await storm.replica(build, { seedNames });
        await survivor.ready();
        expect(await storm.ledger()).toEqual(allOnce);
        expect((await storm.history()).filter((row) => row.state !== 'applied')).toEqual([]);
        const status = await stock(storm.url, 'migrate', 'status');
        expect(status).toMatchObject({ code: 0, output: expect.stringContaining('up to date') });
        await storm.check();
        await storm.drop();
      }
    },
    full ? 600_000 : 180_000,
  );
});

describe('a stop signal', () => {
  it('in the middle of a migration cancels it, rolls back and exits 143 with the lock free', async () => {
    const build = await scene.build(files(60));
    const replica = await scene.replica(build);
    await running('pg_sleep(60)');
    replica.kill('SIGTERM');
    expect(await replica.failed()).toMatchObject({ exitCode: 143 });
    expect(await scene.locks()).toEqual([]);
    expect(await scene.ledger()).not.toHaveProperty(slow);
    expect(await scene.history()).toHaveLength(2);
    expect(replica.events('boot.aborted')).toHaveLength(1);
  });

  it('while waiting for the lock ends the wait with 143', async () => {
    const build = await scene.build(files(60));
    const holder = await scene.replica(build);
    await running('pg_sleep(60)');
    const waiter = await scene.replica(build);
    await waiter.saidEvent('lock.waiting');
    expect(waiter.events('lock.waiting')[0]?.holders[0]?.application).toMatch(
      /^parley\/lifecycle\/test\/1\.0\.0 3\/3$/,
    );
    waiter.kill('SIGINT');
    expect(await waiter.failed()).toMatchObject({ exitCode: 130 });
    holder.kill('SIGTERM');
    expect(await holder.failed()).toMatchObject({ exitCode: 143 });
  });

  it.each(['connecting', 'preflight', 'checking', 'reconciling', 'seeding', 'verifying'])(
    'in phase %s ends the boot with 143',
    async (phase) => {
      const build = await scene.build(steps(2));
      const at: Record<string, string> = {
        preflight: 'pg_is_in_recovery',
        checking: '_prisma_migrations',
        reconciling: 'CREATE SCHEMA IF NOT EXISTS "lifecycle"',
        seeding: 'seed roles',
        verifying: 'pg_advisory_unlock',
      };
      const proxy = await proxied({ host: '127.0.0.1', port: 1 });
      const replica = await scene.replica(build, {
        seedNames,
        ...(phase === 'connecting'
          ? { connectionString: throughProxy(scene.url, proxy) }
          : { fault: { at: at[phase] ?? '', when: 'before', signal: 'SIGTERM' } }),
      });
      if (phase === 'connecting') {
        await replica.saidEvent('db.connect_retry');
        replica.kill('SIGTERM');
      }
      expect(await replica.failed()).toMatchObject({ exitCode: 143 });
    },
  );
});

describe('a frozen process', () => {
  it('that held the lock is fenced: another takes over, and once awake it cannot write and exits non-zero', async () => {
    const build = await scene.build(files(0));
    const settings = { idleTimeoutMs: 1_000, heartbeatMs: 300 };
    const frozen = await scene.replica(build, {
      seedNames,
      settings,
      fault: { at: 'CREATE TABLE IF NOT EXISTS t2', when: 'before', signal: 'SIGSTOP' },
    });
    await frozen.saidEvent('migration.started');
    const other = await scene.replica(build, { seedNames, settings });
    const result = await other.ready();
    expect(result.applied).toContain(slow);
    frozen.kill('SIGCONT');
    expect(await frozen.failed()).toMatchObject({ exitCode: 20 });
    expect(await scene.ledger()).toEqual(allOnce);
  });
});

describe('a network or server that fails in the middle', () => {
  it('the answer to COMMIT is lost: the history decides, nothing runs again', async () => {
    const proxy = await proxied(upstreamOf(scene.url));
    const build = await scene.build(files(0));
    void proxy.whenClientSends("INSERT INTO ledger.entry (what) VALUES ('" + migrationName(1), () => {
      // The next message is the history row with COMMIT: from then on answers are swallowed.
      void proxy.whenClientSends('COMMIT', () => {
        proxy.set('mute');
        setTimeout(() => {
          proxy.reset();
          proxy.set('pass');
        }, 300);
      });
    });
    const replica = await scene.replica(build, { seedNames, connectionString: throughProxy(scene.url, proxy) });
    await replica.ready();
    expect(replica.events('db.connection_lost')).toHaveLength(1);
    expect(await scene.ledger()).toEqual(allOnce);
  });

  it('a black hole: the server frees the lock, the client gives up, the next replica finishes', async () => {
    const proxy = await proxied(upstreamOf(scene.url));
    const build = await scene.build(files(1));
    const settings = { idleTimeoutMs: 1_500, heartbeatMs: 500, deadlineMs: 20_000 };
    const cutOff = await scene.replica(build, {
      settings,
      connectionString: throughProxy(scene.url, proxy),
    });
    await running('pg_sleep(1)');
    proxy.set('blackhole');
    const next = await scene.replica(build, { settings, seedNames });
    await next.ready();
    expect(await scene.ledger()).toEqual(allOnce);
    expect(await cutOff.failed()).toMatchObject({ exitCode: 11 });
  });

  it('pg_terminate_backend: reconnects, exactly once', async () => {
    const build = await scene.build(files(1));
    const replica = await scene.replica(build, { seedNames });
    await running('pg_sleep(1)');
    await world.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${scene.name}' AND query LIKE '%pg_sleep(1)%' AND pid <> pg_backend_pid()`,
    );
    await replica.ready();
    expect(replica.events('db.connection_lost')[0]).toMatchObject({ code: '57P01' });
    expect(await scene.ledger()).toEqual(allOnce);
  });

  it('the whole server killed: recovers, exactly once', async () => {
    const build = await scene.build(files(2));
    const replica = await scene.replica(build, { seedNames });
    await running('pg_sleep(2)');
    await world.server.kill('SIGKILL');
    await replica.saidEvent('db.connection_lost');
    await world.server.start();
    await replica.ready();
    expect(await scene.ledger()).toEqual(allOnce);
  });

  it('the whole server killed between two files, of which it may have lost the first: exactly once', async () => {
    const build = await scene.build(files(0));
    const fault = { at: 'CREATE TABLE IF NOT EXISTS t2', when: 'before', signal: 'SIGSTOP' } as const;
    const replica = await scene.replica(build, { seedNames, fault });
    await replica.saidEvent('migration.applied');
    await world.server.kill('SIGKILL');
    await world.server.start();
    replica.kill('SIGCONT');
    await replica.ready();
    expect(replica.events('db.connection_lost')).toHaveLength(1);
    expect(await scene.ledger()).toEqual(allOnce);
  });

  it('slow: a latency of 100 ms changes nothing but the time', async () => {
    const proxy = await proxied(upstreamOf(scene.url));
    proxy.delay(100);
    const replica = await scene.replica(await scene.build(files(0)), {
      seedNames,
      connectionString: throughProxy(scene.url, proxy),
    });
    await replica.ready();
    expect(await scene.ledger()).toEqual(allOnce);
  });
});
