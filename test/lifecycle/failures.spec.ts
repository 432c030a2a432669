import { rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { applyTransactional } from '../../src/platform/database/lifecycle/apply-transactional.js';
import { BootRun } from '../../src/platform/database/lifecycle/boot-run.js';
import { connect } from '../../src/platform/database/lifecycle/connect.js';
import { parseMigration } from '../../src/platform/database/lifecycle/migration-files.js';
import { resolve } from '../../src/platform/database/lifecycle/resolve.js';
import { boot, bootOptions, names } from './support/boot.js';
import { DURABILITY_OFF, migrationName, record, steps, World, type Scene } from './support/world.js';

let world: World;
let scene: Scene;
const clients: Client[] = [];
beforeAll(async () => {
  world = await World.start({ ...DURABILITY_OFF, deadlock_timeout: '100ms' });
});
afterAll(() => world.stop());
beforeEach(async () => {
  scene = await world.database();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end();
  await scene.check();
});

async function connected(): Promise<Client> {
  const client = new Client({ connectionString: scene.url });
  await client.connect();
  clients.push(client);
  return client;
}

const bad = migrationName(3, 'bad');

describe('broken SQL', () => {
  const files = { ...steps(2), [bad]: `${record(bad)}\nALTER TABLE t1\n  ADD COLUM oops text;` };

  it('ends with 13 and the place, leaves nothing, and is not executed again until the file changes', async () => {
    const build = await scene.build(files);
    const first = await boot(scene, build);
    expect(first.error).toMatchObject({ exitCode: 13, code: '42601', details: { line: 3 } });
    expect(first.error?.message).toContain(`${bad}, line 3`);
    expect(first.phases.at(-1)?.detail.code).toBe('42601');
    expect((await scene.history()).at(-1)).toEqual({ name: bad, state: 'rolled back' });
    expect(await scene.ledger()).not.toHaveProperty(bad);

    const again = await boot(scene, build);
    expect(again.error).toMatchObject({ exitCode: 13 });
    expect(again.error?.hint).toContain(`parley db resolve --retry ${bad}`);
    expect(names(again)).not.toContain('migration.started');
    expect(names(again)).toContain('migration.quarantined');
    expect(await scene.history()).toHaveLength(3);

    const fixed = await scene.build({
      ...files,
      [bad]: `${record(bad)}\nALTER TABLE t1 ADD COLUMN IF NOT EXISTS oops text;`,
    });
    expect((await boot(scene, fixed)).result?.applied).toEqual([bad]);
  });

  it('in the first file of an empty database leaves no history table', async () => {
    const { error } = await boot(scene, await scene.build({ [bad]: 'SELECT nonsense;' }));
    expect(error).toMatchObject({ exitCode: 13, code: '42703' });
    expect(await scene.sql("SELECT to_regclass('_prisma_migrations') AS t")).toEqual([{ t: null }]);
    expect(await scene.sql("SELECT action, detail->>'code' AS code FROM lifecycle.audit")).toEqual([
      { action: 'migration.quarantined', code: '42703' },
    ]);
  });
});

it('a file that met bad data runs again, unchanged, after resolve --retry', async () => {
  const unique = migrationName(3, 'unique');
  const files = { ...steps(2), [unique]: `${record(unique)}\nALTER TABLE t1 ADD CONSTRAINT t1_note UNIQUE (note);` };
  const build = await scene.build(files);
  await boot(scene, await scene.build(steps(2)));
  await scene.sql("INSERT INTO t1 VALUES (1, 'same'), (2, 'same')");
  expect((await boot(scene, build)).error).toMatchObject({ exitCode: 13, code: '23505' });
  await scene.sql('DELETE FROM t1 WHERE id = 2');
  expect((await boot(scene, build)).error).toMatchObject({ exitCode: 13 });
  await resolve(bootOptions(scene, build), { action: 'retry', migration: unique });
  expect((await boot(scene, build)).result?.applied).toEqual([unique]);
});

describe('refused before anything runs', () => {
  const refused = async (files: Record<string, string>, provider?: string) => {
    const { error } = await boot(scene, await scene.build({ ...steps(1), ...files }, provider));
    expect(await scene.sql("SELECT to_regclass('t1') AS t")).toEqual([{ t: null }]);
    return error;
  };

  it.each([
    ['a hidden COMMIT', `${record(bad)} COMMIT; SELECT 1;`, 13, 'COMMIT'],
    ['a concurrent index in the transactional lane', 'CREATE INDEX CONCURRENTLY i ON t1 (note);', 13, 'no-transaction'],
    ['VACUUM', '/* tidy */ VACUUM t1;', 13, 'VACUUM'],
    ['an empty file', '-- nothing yet\n', 10, 'no statement'],
    ['an unknown directive', '-- lifecycle: fast\nSELECT 1;', 10, '"fast"'],
    [
      'bulk data',
      `INSERT INTO t1 VALUES ${"(1, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'),".repeat(420_000)}(2, 'x');`,
      10,
      'limit',
    ],
  ])('%s', async (_name, sql, exitCode, words) => {
    const error = await refused({ [bad]: sql });
    expect(error).toMatchObject({ exitCode });
    expect(`${error?.message} ${error?.hint}`).toContain(bad);
    expect(`${error?.message} ${error?.hint}`).toContain(words);
  });

  it('a wrong provider, a bad folder name, a folder without file, bytes that are not UTF-8, no folder at all', async () => {
    expect((await refused({}, 'mysql'))?.message).toContain('"mysql"');
    expect((await refused({ 'add-users': 'SELECT 1;' }))?.message).toContain('add-users');
    const build = await scene.build({ ...steps(1), [bad]: 'SELECT 1;' });
    await writeFile(join(build, bad, 'migration.sql'), Buffer.from([0x53, 0xff, 0xfe]));
    expect((await boot(scene, build)).error).toMatchObject({ exitCode: 10, message: expect.stringContaining('UTF-8') });
    await rm(join(build, bad, 'migration.sql'));
    expect((await boot(scene, build)).error).toMatchObject({
      exitCode: 10,
      message: `migration ${bad}: has no migration.sql`,
    });
    expect((await boot(scene, join(build, 'nowhere'))).error).toMatchObject({ exitCode: 10 });
  });
});

it('a COMMIT inside a procedure is refused by the server and rolled back whole', async () => {
  // No statement of the file is a COMMIT; the body of a procedure may hold one, and PostgreSQL refuses it in a transaction.
  const sql = `${record(bad)}\nCREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;\nCALL p();`;
  const { error } = await boot(scene, await scene.build({ ...steps(1), [bad]: sql }));
  expect(error).toMatchObject({ exitCode: 13, code: '2D000' });
  expect(await scene.ledger()).not.toHaveProperty(bad);
});

it.each([
  ['and nothing after it', ''],
  ['and begins another transaction', 'BEGIN; CREATE TABLE half (id integer);'],
])('a file that ends its transaction unseen %s: exit 13, no history row says it is applied', async (_name, after) => {
  const build = await scene.build(steps(1));
  await boot(scene, build);
  // Past the reading of the file, which refuses it.
  const file = parseMigration(bad, Buffer.from(`${record(bad)} COMMIT; ${after}`));
  const run = new BootRun(bootOptions(scene, build));
  const session = await connect(run);
  await expect(applyTransactional(session, file, { step: '1/1' })).rejects.toMatchObject({
    exitCode: 13,
    message: expect.stringContaining('hidden COMMIT'),
  });
  await session.close();
  run.dispose();
  expect(await scene.sql("SELECT to_regclass('half') AS t")).toEqual([{ t: null }]);
  expect((await scene.history()).at(-1)).toEqual({ name: bad, state: 'rolled back' });
});

it('an enum value added and used in one file is rolled back with 55P04', async () => {
  const files = { ...steps(1), [migrationName(2)]: "CREATE TYPE mood AS ENUM ('ok');" };
  await boot(scene, await scene.build(files));
  const sql = "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'bad';\nSELECT 'bad'::mood;";
  const { error } = await boot(scene, await scene.build({ ...files, [bad]: sql }));
  expect(error).toMatchObject({ exitCode: 13, code: '55P04' });
  expect(await scene.sql("SELECT enumlabel FROM pg_enum WHERE enumtypid = 'mood'::regtype")).toEqual([
    { enumlabel: 'ok' },
  ]);
});

describe('locks of others', () => {
  const alter = migrationName(3, 'alter');
  const files = { ...steps(2), [alter]: `${record(alter)}\nALTER TABLE t1 ADD COLUMN IF NOT EXISTS extra text;` };
  beforeEach(async () => void (await boot(scene, await scene.build(steps(2)))));

  it('a long reader: the file backs off again and again, and other readers never queue behind it for long', async () => {
    const reader = await connected();
    await reader.query('BEGIN; SELECT * FROM t1');
    const other = await connected();
    let waited = 0;
    const outcome = await boot(scene, await scene.build(files), {
      settings: { migrationLockTimeoutMs: 300 },
      onEvent: (event) => {
        if (event.event !== 'migration.lock_retry') return;
        waited++;
        expect(event.code).toBe('55P03');
        // The statement limit is the assertion: it fails if a reader queued longer than the lock timeout.
        void other.query('SET statement_timeout = 2000; SELECT * FROM t1');
        if (waited === 2) void reader.query('COMMIT');
      },
    });
    expect(outcome.result?.applied).toEqual([alter]);
    expect(waited).toBe(2);
    await other.query('SELECT 1');
  });

  it('a reader that never ends: exit 13 after the retries, not quarantined', async () => {
    const reader = await connected();
    await reader.query('BEGIN; SELECT * FROM t1');
    const build = await scene.build(files);
    const { error } = await boot(scene, build, { settings: { migrationLockTimeoutMs: 100, migrationLockRetries: 1 } });
    expect(error).toMatchObject({ exitCode: 13, code: '55P03', details: { quarantined: false } });
    await reader.query('COMMIT');
    expect((await boot(scene, build)).result?.applied).toEqual([alter]);
  });

  it('a deadlock: the file is repeated as a whole', async () => {
    const other = await connected();
    await other.query('BEGIN; LOCK TABLE t2 IN ACCESS EXCLUSIVE MODE; SET LOCAL deadlock_timeout = 10000');
    const both = { ...files, [alter]: `${record(alter)}\nLOCK TABLE t1;\nLOCK TABLE t2;` };
    const booting = boot(scene, await scene.build(both), { settings: { migrationLockTimeoutMs: 20_000 } });
    const blocked = "SELECT FROM pg_locks WHERE NOT granted AND relation = 't2'::regclass";
    while ((await scene.sql(blocked)).length === 0) await delay(20);
    await other.query('LOCK TABLE t1; COMMIT');
    const outcome = await booting;
    expect(outcome.events).toContainEqual(expect.objectContaining({ event: 'migration.lock_retry', code: '40P01' }));
    expect(outcome.result?.applied).toEqual([alter]);
  });
});

it('a full disk ends with 13, rolled back and not quarantined; with room again the same file is applied', async () => {
  await boot(scene, await scene.build(steps(2)));
  // The table, still empty, lies on a device that never has room: the server cannot extend it.
  const [file] = await scene.sql<{ path: string }>("SELECT pg_relation_filepath('t1') AS path");
  const path = join(world.server.dir, 'data', file?.path ?? '');
  await rename(path, `${path}.aside`);
  await symlink('/dev/full', path);

  const filling = migrationName(3, 'filling');
  const build = await scene.build({
    ...steps(2),
    [filling]: `${record(filling)}\nINSERT INTO t1 VALUES (1) ON CONFLICT DO NOTHING;`,
  });
  const { error } = await boot(scene, build);
  expect(error).toMatchObject({ exitCode: 13, code: '53100', details: { quarantined: false } });
  expect(error?.message).toMatch(/No space left on device/);
  expect(await scene.ledger()).not.toHaveProperty(filling);

  await rename(`${path}.aside`, path);
  expect((await boot(scene, build)).result?.applied).toEqual([filling]);
  expect(await scene.sql('SELECT id FROM t1')).toEqual([{ id: 1 }]);
});

it('settings a file changes do not reach the next one', async () => {
  const files = {
    [migrationName(1)]: "SET search_path = 'nowhere'; SET TimeZone = 'Europe/Rome'; SET lock_timeout = 0;",
    [migrationName(2)]:
      `CREATE TABLE IF NOT EXISTS settings AS SELECT current_setting('TimeZone') AS zone, current_setting('lock_timeout') AS lock;`,
  };
  expect((await boot(scene, await scene.build(files))).result?.applied).toHaveLength(2);
  expect(await scene.sql('SELECT * FROM public.settings')).toEqual([{ zone: 'UTC', lock: '5s' }]);
});
