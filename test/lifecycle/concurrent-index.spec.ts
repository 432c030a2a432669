import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { boot } from './support/boot.js';
import { DURABILITY_OFF, migrationName, steps, World, type Scene } from './support/world.js';

let world: World;
let scene: Scene;
const clients: Client[] = [];
beforeAll(async () => {
  world = await World.start({ ...DURABILITY_OFF, deadlock_timeout: '100ms' });
});
afterAll(() => world.stop());
beforeEach(async () => {
  scene = await world.database();
  await boot(scene, await scene.build(steps(1)));
  await scene.sql("INSERT INTO t1 SELECT i, 'note ' || i FROM generate_series(1, 1000) i");
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.end();
  await scene.check();
});

const name = migrationName(2, 'index');
const files = (sql: string) => ({ ...steps(1), [name]: `-- lifecycle: no-transaction\n${sql}` });
const plain = files('CREATE INDEX CONCURRENTLY IF NOT EXISTS t1_note ON t1 (note);');
const indexes = () =>
  scene.sql<{ name: string; valid: boolean }>(
    `SELECT indexrelid::regclass::text AS name, indisvalid AS valid FROM pg_index
      WHERE indrelid = 't1'::regclass AND NOT indisprimary ORDER BY 1`,
  );
const building = async (): Promise<void> => {
  const sql = `SELECT FROM pg_stat_activity WHERE datname = '${scene.name}' AND state = 'active' AND query LIKE 'CREATE %INDEX CONCURRENTLY%'`;
  while ((await world.sql(sql)).length === 0) await delay(20);
};
async function connected(): Promise<Client> {
  const client = new Client({ connectionString: scene.url });
  client.on('error', () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}

it('is built while nine replicas poll for the lock, without a deadlock', async () => {
  scene.manifest = await scene.manifestOf(plain);
  const reader = await connected();
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t1 LIMIT 1');
  const build = await scene.build(plain);
  const replicas = await Promise.all(Array.from({ length: 10 }, () => scene.replica(build)));
  await building();
  await Promise.race(replicas.map((replica) => replica.saidEvent('lock.waiting')));
  await reader.query('COMMIT');
  const results = await Promise.all(replicas.map((replica) => replica.ready()));
  expect(results.flatMap((result) => result.applied)).toEqual([name]);
  expect(replicas.flatMap((replica) => replica.events('migration.lock_retry'))).toEqual([]);
  expect(await indexes()).toEqual([{ name: 't1_note', valid: true }]);
});

it('a stranger blocked in pg_advisory_lock on the Prisma key gets it meanwhile, and nobody deadlocks', async () => {
  const slow = migrationName(2, 'a_slow');
  const stranger = await connected();
  const booting = boot(scene, await scene.build({ ...plain, [slow]: 'SELECT pg_sleep(1);' }));
  while ((await scene.locks()).length < 2) await delay(20);
  // Blocks while we hold the key, with the snapshot that a concurrent build would wait for.
  await stranger.query('SELECT pg_advisory_lock(72707369)');
  while ((await indexes()).length === 0) await delay(20);
  await stranger.query('SELECT pg_advisory_unlock(72707369)');
  const { result, events } = await booting;
  expect(result?.applied).toEqual([slow, name]);
  expect(events.filter((event) => event.event === 'migration.lock_retry')).toEqual([]);
  expect(await indexes()).toEqual([{ name: 't1_note', valid: true }]);
});

it('kill -9 during the build: the invalid index is dropped and built again', async () => {
  const reader = await connected();
  await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t1 LIMIT 1');
  const build = await scene.build(plain);
  const replica = await scene.replica(build);
  await building();
  replica.kill();
  await replica.exited;
  while ((await scene.locks()).length > 0) await delay(50);
  expect(await indexes()).toEqual([{ name: 't1_note', valid: false }]);
  await reader.query('COMMIT');
  const { result } = await boot(scene, build);
  expect(result?.applied).toEqual([name]);
  expect(await indexes()).toEqual([{ name: 't1_note', valid: true }]);
  expect(await scene.history()).toEqual([
    { name: migrationName(1), state: 'applied' },
    { name, state: 'rolled back' },
    { name, state: 'applied' },
  ]);
});

it('two statements in one file, kill -9 between them: the next boot makes both, once', async () => {
  const two = files(
    'CREATE INDEX CONCURRENTLY IF NOT EXISTS t1_note ON t1 (note);\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t1_pair ON t1 (note, id);',
  );
  scene.manifest = await scene.manifestOf(two);
  const build = await scene.build(two);
  const killed = await scene.replica(build, { fault: { at: 't1_pair', when: 'before', signal: 'SIGKILL' } });
  expect((await killed.exited).signal).toBe('SIGKILL');
  expect(await indexes()).toEqual([{ name: 't1_note', valid: true }]);
  const next = await scene.replica(build);
  expect((await next.ready()).applied).toEqual([name]);
  expect(await indexes()).toEqual([
    { name: 't1_note', valid: true },
    { name: 't1_pair', valid: true },
  ]);
  expect((await scene.history()).map(({ state }) => state)).toEqual(['applied', 'rolled back', 'applied']);
});

it('unique over duplicates ends with 13 and their number, and leaves no invalid index', async () => {
  await scene.sql("UPDATE t1 SET note = 'same' WHERE id <= 10; UPDATE t1 SET note = 'twin' WHERE id IN (11, 12)");
  const { error } = await boot(
    scene,
    await scene.build(files('CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t1_note ON t1 (note);')),
  );
  expect(error).toMatchObject({ exitCode: 13, code: '23505' });
  expect(error?.message).toContain('2 duplicate values of (note) in t1');
  expect(await indexes()).toEqual([]);
  expect((await scene.history()).at(-1)).toEqual({ name, state: 'rolled back' });
});

it('of two statements, with a crash between them: resumes, both effective', async () => {
  const two = files(
    'CREATE INDEX CONCURRENTLY IF NOT EXISTS t1_note ON t1 (note);\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t1_id ON t1 (id, note);',
  );
  const build = await scene.build(two);
  const replica = await scene.replica(build, { fault: { at: 't1_id', when: 'before', signal: 'SIGKILL' } });
  await replica.exited;
  expect((await boot(scene, build)).result?.applied).toEqual([name]);
  expect(await indexes()).toEqual([
    { name: 't1_id', valid: true },
    { name: 't1_note', valid: true },
  ]);
  const [row] = await scene.sql<{ steps: number }>(
    `SELECT applied_steps_count AS steps FROM _prisma_migrations WHERE migration_name = '${name}' AND finished_at IS NOT NULL`,
  );
  expect(row).toEqual({ steps: 2 });
});
