import { boot, names } from './support/boot.js';
import { poolerInstalled, startPooler, type Pooler } from './support/pgbouncer.js';
import { throughProxy } from './support/proxy.js';
import { DURABILITY_OFF, full, migrationName, record, steps, World, type Scene } from './support/world.js';

const seedNames = ['roles', 'singletons'];
const expected = (n: number): Record<string, number> => ({
  ...Object.fromEntries(Object.keys(steps(n)).map((name) => [name, 1])),
  'seed roles': 1,
  'seed singletons': 1,
});

if (!poolerInstalled()) {
  it('PgBouncer is not installed here: its cases run where it is', () => {
    console.warn('PgBouncer is missing (apt-get install pgbouncer): the pooler cases did NOT run');
    expect(process.env.CI).not.toBe('true');
  });
} else {
  describe.each(['transaction', 'session'] as const)('through PgBouncer in %s mode', (mode) => {
    let world: World;
    let scene: Scene;
    let pooler: Pooler;
    beforeAll(async () => {
      world = await World.start(DURABILITY_OFF);
      pooler = await startPooler(world.server.url, mode);
    });
    afterAll(async () => {
      await pooler.stop();
      await world.stop();
    });
    beforeEach(async () => {
      scene = await world.database();
    });
    afterEach(() => scene.check());

    it('8 replicas: each migration and seed once, no lock and no setting left behind', async () => {
      scene.manifest = await scene.manifestOf(steps(4));
      const build = await scene.build(steps(4));
      const connectionString = throughProxy(scene.url, pooler);
      const replicas = await Promise.all(
        Array.from({ length: 8 }, () => scene.replica(build, { seedNames, connectionString })),
      );
      const results = await Promise.all(replicas.map((replica) => replica.ready()));
      expect(results.map((result) => result.pooler)).toEqual(Array.from({ length: 8 }, () => true));
      expect(await scene.ledger()).toEqual(expected(4));
      const settings = await Promise.all(
        Array.from({ length: 8 }, () =>
          world.sql(
            `SELECT current_setting('search_path') AS path, current_setting('lock_timeout') AS lock, current_setting('application_name') AS name`,
            connectionString,
          ),
        ),
      );
      for (const [row] of settings) expect(row).toMatchObject({ path: '"$user", public', lock: '0' });
    });

    it(`kill -9 of replicas at random: ${full ? 12 : 2} rounds, exactly once`, async () => {
      for (let round = 0; round < (full ? 12 : 2); round++) {
        const storm = await world.database();
        const build = await storm.build(steps(4));
        const connectionString = throughProxy(storm.url, pooler);
        const replicas = await Promise.all(
          Array.from({ length: 3 }, () => storm.replica(build, { seedNames, connectionString })),
        );
        await Promise.all(
          replicas.map(async (replica) => {
            const lines = 4 + Math.floor(Math.random() * 20);
            await replica.said(() => replica.lines.length >= lines).catch(() => undefined);
            replica.kill();
            await replica.exited;
          }),
        );
        await (await storm.replica(build, { seedNames, connectionString })).ready();
        expect(await storm.ledger()).toEqual(expected(4));
        await storm.check();
      }
    }, 300_000);

    it('DB_POOLER=refuse ends with 18 and the fix', async () => {
      const { error } = await boot(scene, await scene.build(steps(1)), {
        connectionString: throughProxy(scene.url, pooler),
        settings: { pooler: 'refuse' },
      });
      expect(error).toMatchObject({ exitCode: 18 });
      expect(error?.hint).toContain('DATABASE_DIRECT_URL');
    });

    it('a file outside a transaction ends with 18; with a direct connection it runs', async () => {
      const index = migrationName(2, 'index');
      const files = {
        ...steps(1),
        [index]: '-- lifecycle: no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t1_note ON t1 (note);',
      };
      const build = await scene.build(files);
      const refused = await boot(scene, build, { connectionString: throughProxy(scene.url, pooler) });
      expect(refused.error).toMatchObject({ exitCode: 18 });
      expect(names(refused)).toContain('db.pooler_detected');
      expect((await boot(scene, build)).result).toMatchObject({ applied: [index], pooler: false });
      await scene.sql(record(index));
    });
  });
}
