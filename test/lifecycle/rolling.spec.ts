import { Client } from 'pg';
import { createSchemaGuard } from '../../src/platform/database/lifecycle/guard.js';
import { plan, status, verify } from '../../src/platform/database/lifecycle/status.js';
import { boot, bootOptions, names, seed } from './support/boot.js';
import { DURABILITY_OFF, migrationName, record, steps, World, type Files, type Scene } from './support/world.js';

let world: World;
let scene: Scene;
beforeAll(async () => {
  world = await World.start({ ...DURABILITY_OFF, log_statement: 'all', log_line_prefix: '%d|%a|' });
});
afterAll(() => world.stop());
beforeEach(async () => {
  scene = await world.database();
});
afterEach(() => scene.check());

const old = steps(2);
const added = migrationName(3, 'more');
const newer = (sql: string): Files => ({ ...old, [added]: `${record(added)}\n${sql}` });

/** Boots the newer build, then the older one on the same database. */
async function olderAfter(files: Files, settings = {}) {
  const manifest = await scene.manifestOf(files);
  expect((await boot(scene, await scene.build(files), { manifest })).error).toBeUndefined();
  scene.manifest = await scene.manifestOf(old);
  return boot(scene, await scene.build(old), { settings, seeds: [seed('late')] });
}

describe('an older build on a newer schema', () => {
  it('starts when the change only adds, without migrating or seeding', async () => {
    const outcome = await olderAfter(
      newer(
        'ALTER TABLE t1 ADD COLUMN IF NOT EXISTS extra text; CREATE TABLE IF NOT EXISTS t9 (id integer PRIMARY KEY);',
      ),
    );
    expect(outcome.result).toMatchObject({ ahead: true, applied: [], seeded: [] });
    expect(names(outcome)).toContain('schema.ahead');
  });

  it('is refused with 15 by DB_AHEAD=refuse', async () => {
    const { error } = await olderAfter(newer('CREATE TABLE IF NOT EXISTS t9 (id integer);'), { ahead: 'refuse' });
    expect(error).toMatchObject({ exitCode: 15 });
  });

  it('is refused with 15 when a new column needs a value it does not know', async () => {
    const { error } = await olderAfter(newer('ALTER TABLE t1 ADD COLUMN IF NOT EXISTS needed text NOT NULL;'));
    expect(error).toMatchObject({ exitCode: 15 });
    expect(error?.message).toContain('needed');
  });

  it('is refused with 15 when something it needs is gone', async () => {
    const { error } = await olderAfter(newer('ALTER TABLE t1 DROP COLUMN IF EXISTS note;'));
    expect(error).toMatchObject({ exitCode: 15 });
  });

  it('is refused with 15 by a contract file, whose epoch a build below it does not have', async () => {
    const files = { ...old, [added]: `-- lifecycle: contract epoch=1\n${record(added)}\nSELECT 1;` };
    const { error } = await olderAfter(files);
    expect(error).toMatchObject({ exitCode: 15 });
    expect(error?.message).toContain('epoch 1');
    expect(await scene.sql('SELECT min_epoch FROM lifecycle.meta')).toEqual([{ min_epoch: 1 }]);
  });

  it('a contract file applied by stock tools raises the epoch at the next boot that knows it', async () => {
    const files = { ...old, [added]: `-- lifecycle: contract epoch=2\n${record(added)}\nSELECT 1;` };
    const build = await scene.build(files);
    await boot(scene, build);
    await scene.sql('UPDATE lifecycle.meta SET min_epoch = 0');
    const { result } = await boot(scene, build);
    expect(result).toMatchObject({ fastPath: false, epoch: 2 });
    expect(await scene.sql('SELECT min_epoch FROM lifecycle.meta')).toEqual([{ min_epoch: 2 }]);
  });
});

it('the guard of a running replica sees additions, losses and epochs, and recovers by itself', async () => {
  scene.manifest = await scene.manifestOf(old);
  const build = await scene.build(old);
  await boot(scene, build);
  const look = createSchemaGuard(bootOptions(scene, build));
  const client = new Client({ connectionString: scene.url });
  await client.connect();
  try {
    expect(await look(client)).toMatchObject({ compatible: true, ahead: false, reason: null });
    await scene.sql('ALTER TABLE t1 DROP COLUMN note');
    const broken = await look(client);
    expect(broken.compatible).toBe(false);
    expect(broken.differences).toContainEqual(
      expect.objectContaining({ kind: 'missing', object: expect.stringContaining('note') }),
    );
    await scene.sql('ALTER TABLE t1 ADD COLUMN note text');
    expect((await look(client)).compatible).toBe(true);
    await scene.sql('UPDATE lifecycle.meta SET min_epoch = 7');
    expect(await look(client)).toMatchObject({ compatible: false, minEpoch: 7 });
    await scene.sql('UPDATE lifecycle.meta SET min_epoch = 0; DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    expect((await look(client)).compatible).toBe(false);
    expect(client.getTransactionStatus()).toBe('I');
  } finally {
    await client.end();
  }
});

it('10 warm restarts take the fast path: no lock statement reaches the server', async () => {
  scene.manifest = await scene.manifestOf(old);
  const build = await scene.build(old);
  await boot(scene, build, { seeds: [seed('roles')] });
  const before = await world.statements(scene.name);
  const outcomes = await Promise.all(Array.from({ length: 10 }, () => boot(scene, build, { seeds: [seed('roles')] })));
  expect(outcomes.map((outcome) => outcome.result?.fastPath)).toEqual(Array.from({ length: 10 }, () => true));
  const after = (await world.statements(scene.name))
    .slice(before.length)
    .filter((line) => line.includes('parley/lifecycle'));
  expect(after.filter((line) => line.includes('parley:schema-verified'))).toHaveLength(10);
  expect(after.filter((line) => /advisory|INSERT|UPDATE|CREATE/.test(line))).toEqual([]);
});

it('two schemas of one database: each its own history, seeds and epoch', async () => {
  const build = await scene.build(old);
  const replicas = await Promise.all(['left', 'right'].map((schema) => scene.replica(build, { schema })));
  for (const replica of replicas) expect((await replica.ready()).applied).toHaveLength(2);
  const rows = await scene.sql(
    `SELECT (SELECT count(*)::int FROM "left"._prisma_migrations) AS l, (SELECT count(*)::int FROM "right"._prisma_migrations) AS r,
            to_regclass('lifecycle_left.meta') IS NOT NULL AS a, to_regclass('lifecycle_right.meta') IS NOT NULL AS b`,
  );
  expect(rows).toEqual([{ l: 2, r: 2, a: true, b: true }]);
  await scene.sql('TRUNCATE ledger.entry'); // each schema wrote its own row for the same file
});

it('status, plan and verify tell what a boot would do, and change nothing', async () => {
  const build = await scene.build(old);
  await boot(scene, build);
  const files = { ...old, [added]: `-- lifecycle: contract epoch=1\nALTER TABLE t1 ADD COLUMN IF NOT EXISTS x text;` };
  scene.manifest = await scene.manifestOf(files);
  const next = bootOptions(scene, await scene.build(files));
  const serving = new Client({ connectionString: scene.url, application_name: 'parley/app/0.9.0/e0' });
  await serving.connect();
  const found = await status(next);
  const planned = await plan(next);
  await serving.end();
  expect(found).toMatchObject({ upToDate: false, blocked: null, epoch: 1, minEpoch: 0, lock: [] });
  expect(found.migrations.map((m) => m.state)).toEqual(['applied', 'applied', 'pending']);
  expect(found.connections).toEqual([{ application: 'parley/app/0.9.0/e0', version: '0.9.0', epoch: 0, count: 1 }]);
  expect(planned.files).toMatchObject([{ name: added, lane: 'transactional', epoch: 1 }]);
  expect(planned.files[0]?.locks[0]).toContain('readers and writers wait');
  expect(planned.files[0]?.warnings[0]).toContain('0.9.0');
  expect(await verify(next)).toMatchObject({ ok: false, problem: { exitCode: 3 } });
  await boot(scene, next.migrationsDir);
  expect(await verify(next)).toMatchObject({ ok: true, problem: null });
});
