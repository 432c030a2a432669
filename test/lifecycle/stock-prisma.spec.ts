import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { resolve } from '../../src/platform/database/lifecycle/resolve.js';
import { boot, bootOptions } from './support/boot.js';
import { stockProject, type StockCli } from './support/stock-project.js';
import { DURABILITY_OFF, migrationName, record, steps, World, type Files, type Scene } from './support/world.js';

let world: World;
let scene: Scene;
beforeAll(async () => {
  world = await World.start(DURABILITY_OFF);
});
afterAll(() => world.stop());
beforeEach(async () => {
  scene = await world.database();
});
afterEach(() => scene.check());

const model = (i: number): string => `model t${i} {\n  id   Int     @id\n  note String?\n}\n`;

/** A build of the scene, and the stock CLI on both. */
async function project(
  files: Files,
  models: number,
): Promise<{ build: string; cli: (...args: string[]) => ReturnType<StockCli> }> {
  const build = await scene.build(files);
  const stock = await stockProject(build, Array.from({ length: models }, (_unused, i) => model(i + 1)).join('\n'));
  return { build, cli: (...args) => stock(scene.url, ...args) };
}

type Cli = Awaited<ReturnType<typeof project>>['cli'];

/** What must hold wherever a boot ended READY. */
async function agrees(cli: Cli): Promise<void> {
  const status = await cli('migrate', 'status');
  expect(status).toMatchObject({ code: 0, output: expect.stringContaining('up to date') });
  const before = await scene.history();
  const deploy = await cli('migrate', 'deploy');
  expect(deploy).toMatchObject({ code: 0, output: expect.stringContaining('No pending migrations') });
  expect(await scene.history()).toEqual(before);
  const diff = await cli('migrate', 'diff', '--from-config-datasource', '--to-schema', 'schema.prisma', '--exit-code');
  expect(diff).toMatchObject({ code: 0 });
}

it('agrees after a fresh boot, a failure and its correction', async () => {
  const bad = migrationName(3, 'bad');
  const broken = await project({ ...steps(2), [bad]: 'SELECT nonsense;' }, 2);
  expect((await boot(scene, broken.build)).error).toMatchObject({ exitCode: 13 });
  const pending = await broken.cli('migrate', 'status');
  expect(pending).toMatchObject({ code: 1, output: expect.stringContaining(bad) });
  expect(pending.output).toMatch(/not yet been applied/);
  const fixed = await project({ ...steps(2), [bad]: record(bad) }, 2);
  expect((await boot(scene, fixed.build)).result?.applied).toEqual([bad]);
  await agrees(fixed.cli);
});

it('agrees after an adoption, and after each kind of resolve', async () => {
  const files = steps(3);
  const { build, cli } = await project(files, 3);
  scene.manifest = await scene.manifestOf(files);
  await scene.sql(
    'CREATE TABLE t1 (id integer PRIMARY KEY, note text); CREATE TABLE t2 (id integer PRIMARY KEY, note text)',
  );
  expect((await boot(scene, build, { settings: { adopt: 'exact' } })).result?.applied).toHaveLength(1);
  await agrees(cli);
  const [, second = ''] = Object.keys(files);
  await scene.sql(`UPDATE _prisma_migrations SET finished_at = NULL, logs = 'died' WHERE migration_name = '${second}'`);
  expect(await cli('migrate', 'status')).toMatchObject({ code: 1, output: expect.stringContaining('failed') });
  await resolve(bootOptions(scene, build), { action: 'applied', migration: second });
  await agrees(cli);
  await expect(resolve(bootOptions(scene, build), { action: 'applied', migration: second })).rejects.toThrow('P3008');
  await expect(resolve(bootOptions(scene, build), { action: 'rolled-back', migration: second })).rejects.toThrow(
    'P3012',
  );
  await expect(resolve(bootOptions(scene, build), { action: 'applied', migration: migrationName(9) })).rejects.toThrow(
    'P3017',
  );
  await expect(
    resolve(bootOptions(scene, build), { action: 'rolled-back', migration: migrationName(9) }),
  ).rejects.toThrow('P3011');
});

it('boots a database that stock deploy migrated, and finishes what it left in P3009', async () => {
  const files = steps(2);
  const { build, cli } = await project(files, 2);
  expect(await cli('migrate', 'deploy')).toMatchObject({ code: 0 });
  scene.manifest = await scene.manifestOf(files);
  expect((await boot(scene, build)).result).toMatchObject({ fastPath: true, applied: [] });
  await agrees(cli);
});

it('a stock deploy that failed leaves P3009; with the schema as before, the next boot settles it', async () => {
  const last = migrationName(3, 'picky');
  const files = { ...steps(2), [last]: `ALTER TABLE t1 ADD CONSTRAINT t1_note_key UNIQUE (note);\n${record(last)}` };
  const { build, cli } = await project(files, 2);
  await boot(scene, await scene.build(steps(2)));
  await scene.sql("INSERT INTO t1 VALUES (1, 'same'), (2, 'same')");
  expect((await cli('migrate', 'deploy')).code).toBe(1);
  expect((await cli('migrate', 'deploy')).output).toContain('P3009');
  await scene.sql('DELETE FROM t1 WHERE id = 2');
  scene.manifest = await scene.manifestOf(files);
  expect((await boot(scene, build)).result?.applied).toEqual([last]);
  expect(await cli('migrate', 'status')).toMatchObject({ code: 0 });
});

it('a stock deploy beside 3 booting replicas: one after the other, or P1002; nothing twice', async () => {
  const files = steps(4);
  const { build, cli } = await project(files, 4);
  const deploy = cli('migrate', 'deploy');
  const replicas = await Promise.all(Array.from({ length: 3 }, () => scene.replica(build)));
  for (const replica of replicas) await replica.ready();
  const { code, output } = await deploy;
  if (code !== 0) expect(output).toContain('P1002');
  expect(Object.keys(await scene.ledger())).toHaveLength(4);
  await agrees(cli);
});

it('a stock deploy during a concurrent index build stops at our unfinished row, and disturbs nothing', async () => {
  const index = migrationName(2, 'index');
  const files = {
    ...steps(1),
    [index]: '-- lifecycle: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS "t1_note_idx" ON "t1" ("note");',
  };
  await boot(scene, await scene.build(steps(1)));
  const { build, cli } = await project(files, 1);
  const reader = new Client({ connectionString: scene.url });
  await reader.connect();
  // As long as this snapshot lives, the build cannot finish.
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t1');
  const booting = boot(scene, build);
  const unfinished = `SELECT FROM _prisma_migrations WHERE migration_name = '${index}'`;
  while ((await scene.sql(unfinished)).length === 0) await delay(20);
  expect(await cli('migrate', 'deploy')).toMatchObject({ code: 1, output: expect.stringContaining('P3009') });
  await reader.end();
  expect((await booting).result?.applied).toEqual([index]);
  expect(await cli('migrate', 'status')).toMatchObject({ code: 0 });
  expect(
    await scene.sql("SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 't1_note_idx'::regclass"),
  ).toEqual([{ valid: true }]);
});

it('after migrate reset on a development database, the next boot seeds again', async () => {
  const { build, cli } = await project(steps(2), 2);
  await boot(scene, build);
  await scene.sql('TRUNCATE ledger.entry');
  expect(await cli('migrate', 'reset', '--force')).toMatchObject({ code: 0 });
  const { result } = await boot(scene, build, {
    seeds: [
      { name: 'roles', version: 1, kind: 'once', run: async (tx) => void (await tx.query(record('seed roles'))) },
    ],
  });
  expect(result?.seeded).toEqual(['roles']);
  await agrees(cli);
});
