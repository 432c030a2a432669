import { boot, names } from './support/boot.js';
import { DURABILITY_OFF, migrationName, steps, World, type Scene } from './support/world.js';

let world: World;
let scene: Scene;
let build: string;
const files = {
  ...steps(2),
  [migrationName(3, 'more')]: `CREATE INDEX IF NOT EXISTS t1_note ON t1 (note);
    CREATE UNIQUE INDEX IF NOT EXISTS t2_note ON t2 (note);`,
};
beforeAll(async () => {
  world = await World.start(DURABILITY_OFF);
});
afterAll(() => world.stop());
beforeEach(async () => {
  scene = await world.database();
  scene.manifest = await scene.manifestOf(files);
  build = await scene.build(files);
  await boot(scene, build);
});
afterEach(() => scene.check());

it('a missing object that matters ends with 16, naming it and the command', async () => {
  await scene.sql('ALTER TABLE t1 DROP COLUMN note');
  const { error } = await boot(scene, build);
  expect(error).toMatchObject({ exitCode: 16 });
  expect(error?.message).toContain('t1.note');
  expect(error?.hint).toContain('parley db repair');
});

it('DB_REPAIR=additive brings it back; a second boot has nothing to do', async () => {
  await scene.sql('DROP TABLE t2; DROP INDEX t1_note');
  const settings = { repair: 'additive' } as const;
  const first = await boot(scene, build, { settings });
  expect(first.error).toBeUndefined();
  expect(names(first)).toContain('schema.repaired');
  expect((await scene.sql("SELECT FROM lifecycle.audit WHERE action = 'schema.repaired'")).length).toBeGreaterThan(1);
  const second = await boot(scene, build, { settings });
  expect(second.result?.fastPath).toBe(true);
  expect(names(second)).not.toContain('schema.repaired');
});

it('a repair that data stands against ends with 16 and the rows, deleting nothing', async () => {
  await scene.sql("DROP INDEX t2_note; INSERT INTO t2 VALUES (1, 'twin'), (2, 'twin')");
  const { error } = await boot(scene, build, { settings: { repair: 'additive' } });
  expect(error).toMatchObject({ exitCode: 16 });
  expect(error?.message).toContain('t2_note');
  expect(await scene.sql('SELECT count(*)::int AS n FROM t2')).toEqual([{ n: 2 }]);
});

it('a changed object ends with 16 and is never altered, also with DB_REPAIR=additive', async () => {
  await scene.sql('ALTER TABLE t1 ALTER COLUMN note TYPE varchar(10)');
  const { error } = await boot(scene, build, { settings: { repair: 'additive' } });
  expect(error).toMatchObject({ exitCode: 16 });
  expect(
    await scene.sql("SELECT atttypmod FROM pg_attribute WHERE attrelid = 't1'::regclass AND attname = 'note'"),
  ).toEqual([{ atttypmod: 14 }]);
});

it('a missing plain index is only warned about, or fatal with DB_DRIFT=strict', async () => {
  await scene.sql('DROP INDEX t1_note');
  const lenient = await boot(scene, build);
  expect(lenient.result?.fastPath).toBe(true);
  expect(lenient.events).toContainEqual(
    expect.objectContaining({ event: 'schema.drift', severity: 'policy', level: 'warn' }),
  );
  expect((await boot(scene, build, { settings: { drift: 'strict' } })).error).toMatchObject({ exitCode: 16 });
});

it('an extra table and index are info only', async () => {
  await scene.sql('CREATE TABLE mine (id integer); CREATE INDEX mine_too ON t1 (id, note)');
  const { result, events } = await boot(scene, build);
  expect(result?.fastPath).toBe(true);
  const drift = events.filter((event) => event.event === 'schema.drift');
  expect(drift.length).toBeGreaterThanOrEqual(2);
  expect(new Set(drift.map((event) => event.severity))).toEqual(new Set(['info']));
});

it('an application role without rights on a table ends with 16 and the GRANT', async () => {
  const role = `app_${scene.name}`;
  await scene.sql(`CREATE ROLE ${role} LOGIN PASSWORD 'x'; GRANT SELECT, INSERT, UPDATE, DELETE ON t1 TO ${role}`);
  const url = new URL(scene.url);
  url.username = role;
  const { error } = await boot(scene, build, { appConnectionString: url.href });
  expect(error).toMatchObject({ exitCode: 16 });
  expect(JSON.stringify(error?.details)).toMatch(/GRANT .*t2/);
  await scene.sql(`GRANT SELECT, INSERT, UPDATE, DELETE ON t2 TO ${role}`);
  expect((await boot(scene, build, { appConnectionString: url.href })).result?.fastPath).toBe(true);
});
