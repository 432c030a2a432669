import { boot, names, seed } from './support/boot.js';
import { adopt, resolve } from '../../src/platform/database/lifecycle/resolve.js';
import { bootOptions } from './support/boot.js';
import { createHash, randomUUID } from 'node:crypto';
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

const three = steps(3);
const [one, two, last] = Object.keys(three) as [string, string, string];
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A row as stock Prisma leaves it when it dies: begun, not finished. */
async function leaveUnfinished(name: string, sql: string, logs: string | null = null): Promise<void> {
  await scene.sql(`INSERT INTO _prisma_migrations (id, checksum, migration_name, logs)
    VALUES ('${randomUUID()}', '${sha256(sql)}', '${name}', ${logs === null ? 'NULL' : `'${logs}'`})`);
}

async function booted(files: Files): Promise<string> {
  const build = await scene.build(files);
  expect((await boot(scene, build)).error).toBeUndefined();
  return build;
}

describe('an unfinished row', () => {
  it('is rolled back and run when the schema is the one before it', async () => {
    await booted(steps(2));
    scene.manifest = await scene.manifestOf(three);
    await leaveUnfinished(last, three[last] ?? '');
    const { result, events } = await boot(scene, await scene.build(three));
    expect(result?.applied).toEqual([last]);
    expect(events).toContainEqual(expect.objectContaining({ event: 'history.resolved', as: 'rolled_back' }));
    expect(await scene.history()).toContainEqual({ name: last, state: 'applied' });
  });

  it('is recorded as applied, and not run, when the schema is the one after it', async () => {
    await booted(steps(2));
    scene.manifest = await scene.manifestOf(three);
    await scene.sql('CREATE TABLE t3 (id integer PRIMARY KEY, note text)');
    await leaveUnfinished(last, three[last] ?? '', 'the connection was lost');
    const { result } = await boot(scene, await scene.build(three));
    expect(result?.applied).toEqual([]);
    expect(await scene.ledger()).not.toHaveProperty(last);
    expect((await scene.history()).filter((row) => row.name === last)).toEqual(
      expect.arrayContaining([
        { name: last, state: 'applied' },
        { name: last, state: 'rolled back' },
      ]),
    );
  });

  it('of a file applied half by hand blocks with 19 and the difference, until somebody decides', async () => {
    await booted(steps(2));
    const files = { ...three, [last]: `${three[last]}ALTER TABLE t3 ADD COLUMN IF NOT EXISTS extra text;` };
    scene.manifest = await scene.manifestOf(files);
    await scene.sql('CREATE TABLE t3 (id integer PRIMARY KEY, note text)');
    await leaveUnfinished(last, files[last] ?? '');
    const build = await scene.build(files);
    const blocked = await boot(scene, build);
    expect(blocked.error).toMatchObject({ exitCode: 19, code: 'P3009' });
    expect(blocked.error?.message).toContain('extra');
    expect(blocked.error?.hint).toContain(`parley db resolve --applied ${last}`);

    // A boot that waits goes on by itself once it was resolved from another shell.
    const waiting = boot(scene, build, {
      settings: { blockedHoldMs: 60_000 },
      onEvent: (event) => {
        if (event.event !== 'boot.blocked') return;
        void resolve(bootOptions(scene, build), { action: 'rolled-back', migration: last });
      },
    });
    expect((await waiting).result?.applied).toEqual([last]);
  });

  it('of a file that only changes data blocks with 19, or runs again when declared idempotent', async () => {
    const data = migrationName(4, 'fill');
    const sql = "INSERT INTO t1 (id, note) VALUES (1, 'x') ON CONFLICT DO NOTHING;";
    await booted(three);
    scene.manifest = await scene.manifestOf({ ...three, [data]: sql });
    await leaveUnfinished(data, sql);
    const undecided = await boot(scene, await scene.build({ ...three, [data]: sql }));
    expect(undecided.error).toMatchObject({ exitCode: 19 });
    expect(undecided.error?.message).toContain('only data');

    const declared = { ...three, [data]: `-- lifecycle: idempotent-data\n${sql}` };
    scene.manifest = await scene.manifestOf(declared);
    expect((await boot(scene, await scene.build(declared))).result?.applied).toEqual([data]);
  });
});

describe('a schema without history', () => {
  beforeEach(async () => {
    scene.manifest = await scene.manifestOf(three);
    await scene.sql(
      'CREATE TABLE t1 (id integer PRIMARY KEY, note text); CREATE TABLE t2 (id integer PRIMARY KEY, note text)',
    );
  });

  it('that equals the one after a migration is adopted by DB_ADOPT=exact; the rest is applied', async () => {
    const { result, events } = await boot(scene, await scene.build(three), { settings: { adopt: 'exact' } });
    expect(result?.applied).toEqual([last]);
    expect(events).toContainEqual(expect.objectContaining({ event: 'history.adopted', through: two, count: 2 }));
    expect(await scene.ledger()).toEqual({ [last]: 1 });
    const rows = await scene.sql<{ ok: boolean }>(
      `SELECT bool_and(started_at = finished_at AND logs = '' AND applied_steps_count = 0) AS ok,
              count(DISTINCT started_at)::int AS n FROM _prisma_migrations WHERE migration_name <= '${two}'`,
    );
    expect(rows).toEqual([{ ok: true, n: 2 }]);
  });

  it('blocks with 19 and the command otherwise, and the command settles it', async () => {
    const build = await scene.build(three);
    const { error } = await boot(scene, build);
    expect(error).toMatchObject({ exitCode: 19, code: 'P3005' });
    expect(error?.hint).toContain(`parley db adopt --at ${two}`);
    expect((await adopt(bootOptions(scene, build), { dryRun: true })).migrations).toEqual([one, two]);
    expect(await scene.sql("SELECT to_regclass('_prisma_migrations') AS t")).toEqual([{ t: null }]);
    expect((await adopt(bootOptions(scene, build))).through).toBe(two);
    expect((await boot(scene, build)).result?.applied).toEqual([last]);
  });

  it('with a hot-fix column blocks with 19 naming the column, also when exact is allowed', async () => {
    await scene.sql('ALTER TABLE t1 ADD COLUMN hotfix integer');
    const { error } = await boot(scene, await scene.build(three), { settings: { adopt: 'exact' } });
    expect(error).toMatchObject({ exitCode: 19 });
    expect(error?.message).toContain('hotfix');
  });

  it('but with an empty history table blocks with 19, never "already exists"', async () => {
    await scene.sql(`CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
      migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
      applied_steps_count integer NOT NULL DEFAULT 0)`);
    expect((await boot(scene, await scene.build(three))).error).toMatchObject({ exitCode: 19, code: 'P3005' });
  });
});

describe('the files', () => {
  it('edited after they were applied block with 14; accepting the checksum ends it', async () => {
    await booted(three);
    const build = await scene.build({ ...three, [two]: `${three[two]}-- an afterthought\n` });
    const { error } = await boot(scene, build);
    expect(error).toMatchObject({ exitCode: 14 });
    expect(error?.message).toContain(two);
    expect(error?.hint).toContain(`parley db resolve --accept-checksum ${two}`);
    await resolve(bootOptions(scene, build), { action: 'accept-checksum', migration: two });
    expect((await boot(scene, build)).result?.fastPath).toBe(true);
  });

  it('with other line endings are not edited', async () => {
    await booted(three);
    const crlf = Object.fromEntries(Object.entries(three).map(([name, sql]) => [name, sql.replaceAll('\n', '\r\n')]));
    expect((await boot(scene, await scene.build(crlf))).result).toMatchObject({ fastPath: true, head: last });
  });

  it('older than the newest applied one run with a warning, or block with 15', async () => {
    await booted({ [one]: three[one] ?? '', [last]: three[last] ?? '' });
    const build = await scene.build(three);
    expect((await boot(scene, build, { settings: { outOfOrder: 'refuse' } })).error).toMatchObject({ exitCode: 15 });
    const { result, events } = await boot(scene, build);
    expect(result?.applied).toEqual([two]);
    expect(events).toContainEqual(expect.objectContaining({ event: 'migration.out_of_order', migration: two }));
  });

  it('that diverged from the database block with 15, and nothing runs', async () => {
    await booted(three);
    const { error } = await boot(scene, await scene.build({ ...steps(2), ...steps(1, 9) }));
    expect(error).toMatchObject({ exitCode: 15 });
    expect(error?.message).toContain(last);
    expect(await scene.ledger()).not.toHaveProperty(migrationName(9));
  });
});

describe('seeds', () => {
  it('run once per version; repeatable ones when their content changes; all again after a reset', async () => {
    const build = await booted(three);
    const seeds = [seed('a'), seed('b', { kind: 'repeatable', checksum: 'x' })];
    expect((await boot(scene, build, { seeds })).result?.seeded).toEqual(['a', 'b']);
    expect((await boot(scene, build, { seeds })).result).toMatchObject({ seeded: [], fastPath: true });
    const changed = [seed('a'), seed('b', { kind: 'repeatable', checksum: 'y', run: () => Promise.resolve() })];
    expect((await boot(scene, build, { seeds: changed })).result?.seeded).toEqual(['b']);
    const newer = [seed('a', { version: 2 }), seed('b', { kind: 'repeatable', checksum: 'y' })];
    expect((await boot(scene, build, { seeds: newer })).result?.seeded).toEqual(['a']);
    // An older replica beside it does not put its older version back.
    expect((await boot(scene, build, { seeds: changed })).result?.seeded).toEqual([]);
    // What `prisma migrate reset` does to the application schema.
    await scene.sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public; TRUNCATE ledger.entry');
    expect((await boot(scene, build, { seeds: newer })).result).toMatchObject({
      applied: [one, two, last],
      seeded: ['a', 'b'],
    });
  });

  it('that fail are rolled back whole and end the boot with 17', async () => {
    const build = await booted(three);
    const broken = seed('broken', {
      run: async (tx) => {
        await tx.query(record('seed broken'));
        await tx.query('SELECT 1/0');
      },
    });
    const outcome = await boot(scene, build, { seeds: [broken] });
    expect(outcome.error).toMatchObject({ exitCode: 17, code: '22012' });
    expect(names(outcome)).not.toContain('schema.verified');
    expect(await scene.ledger()).not.toHaveProperty('seed broken');
  });
});
