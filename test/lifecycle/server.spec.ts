import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BootRun } from '../../src/platform/database/lifecycle/boot-run.js';
import { checkFacts, type ServerFacts } from '../../src/platform/database/lifecycle/preflight.js';
import { boot, names } from './support/boot.js';
import { databaseUrl, steps, World, type Scene } from './support/world.js';

let world: World;
let scene: Scene;
beforeAll(async () => {
  world = await World.start({ timezone: 'Europe/Rome' });
});
afterAll(() => world.stop());
beforeEach(async () => {
  scene = await world.database();
});

it('a server in another time zone and replicas with wrong clocks: correct instants, correct order', async () => {
  const build = await scene.build(steps(3));
  const early = await scene.replica(await scene.build(steps(1)), { clock: '+1h' });
  await early.ready();
  expect(early.events('db.warning').map((event) => event.warning)).toEqual([expect.stringContaining('clock')]);
  const late = await scene.replica(build, { clock: '-1h' });
  await late.ready();
  const rows = await scene.sql<{ ordered: boolean; recent: boolean }>(
    `SELECT bool_and(at >= coalesce(before, at)) AS ordered, bool_and(at BETWEEN now() - interval '1 minute' AND now()) AS recent
       FROM (SELECT started_at AS at, lag(started_at) OVER (ORDER BY migration_name) AS before FROM _prisma_migrations) h`,
  );
  expect(rows).toEqual([{ ordered: true, recent: true }]);
  await scene.check();
});

it('a standby is waited for until the deadline (24), and used once it is promoted', async () => {
  await world.server.kill('SIGINT');
  await writeFile(join(world.server.dir, 'data', 'standby.signal'), '');
  await world.server.start();
  const build = await scene.build(steps(2));
  const { error } = await boot(scene, build, { settings: { deadlineMs: 1_500 } });
  expect(error).toMatchObject({ exitCode: 24, code: '25006' });
  expect(error?.hint).toContain('primary');

  const booting = boot(scene, build);
  await world.sql('SELECT pg_promote()');
  expect((await booting).result?.applied).toHaveLength(2);
  await scene.check();
});

describe('preflight', () => {
  const healthy: ServerFacts = {
    found: { history: true, home: true, empty: false },
    pid: 1,
    version: 18,
    versionText: '18.4',
    encoding: 'UTF8',
    standby: false,
    readOnly: false,
    synchronousCommit: 'on',
    fsync: 'on',
    role: 'parley',
    mayCreate: true,
    mayUseSchema: true,
    mayReadHistory: true,
    skewMs: 0,
  };
  const check = (facts: Partial<ServerFacts>) => () => {
    const run = new BootRun({ connectionString: scene.url, migrationsDir: '', appVersion: '1' });
    try {
      checkFacts(run, { ...healthy, ...facts });
    } finally {
      run.dispose();
    }
  };

  it('accepts a healthy server, refuses an old one, another encoding and missing rights with 24', () => {
    expect(check({})).not.toThrow();
    expect(check({ version: 13, versionText: '13.2' })).toThrow(/PostgreSQL 13.2 is too old/);
    expect(check({ encoding: 'LATIN1' })).toThrow(/LATIN1/);
    expect(check({ mayCreate: false })).toThrow(/may not create schemas/);
    for (const facts of [{ version: 13 }, { encoding: 'LATIN1' }, { mayCreate: false }, { standby: true }]) {
      expect(check(facts)).toThrow(expect.objectContaining({ exitCode: 24 }));
    }
  });
});

it('a server older than the build needs, and a database in another encoding, end with 24', async () => {
  const build = await scene.build(steps(1));
  scene.manifest = { ...(await scene.manifestOf(steps(1))), minServer: 99 };
  expect((await boot(scene, build)).error).toMatchObject({ exitCode: 24, hint: expect.stringContaining('99') });
  scene.manifest = undefined;
  const latin = `${scene.name}_latin`;
  await world.sql(`CREATE DATABASE ${latin} ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0`);
  const { error } = await boot(scene, build, { connectionString: databaseUrl(scene.url, latin) });
  expect(error).toMatchObject({ exitCode: 24, message: expect.stringContaining('LATIN1') });
  expect(error?.hint).toContain('UTF8');
});

it('a server that may lose acknowledged writes is warned about', async () => {
  await world.sql(`ALTER DATABASE ${scene.name} SET synchronous_commit = off`);
  expect(names(await boot(scene, await scene.build(steps(1))))).toContain('db.warning');
});
