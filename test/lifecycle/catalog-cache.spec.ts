import { applyTransactional } from '../../src/platform/database/lifecycle/apply-transactional.js';
import { BootRun } from '../../src/platform/database/lifecycle/boot-run.js';
import { loadBuild } from '../../src/platform/database/lifecycle/build.js';
import { connect } from '../../src/platform/database/lifecycle/connect.js';
import { History } from '../../src/platform/database/lifecycle/history.js';
import { createHistory, createHome, lifecycleTables } from '../../src/platform/database/lifecycle/tables.js';
import { inTransaction } from '../../src/platform/database/lifecycle/transaction.js';
import { boot, bootOptions } from './support/boot.js';
import { DURABILITY_OFF, migrationName, steps, World } from './support/world.js';

/**
 * A server process keeps what it once read of the catalog until it opens a table. An advisory lock is no table: whoever
 * got the keys behind a pooler, on a process that had looked before, was still told "no history" after another
 * replica's commit.
 */
describe('the catalog cache of a server process behind a pooler', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start(DURABILITY_OFF);
  });
  afterAll(() => world.stop());

  it('a replica that gets the keys sees what was committed after its BEGIN', async () => {
    const scene = await world.database();
    const options = bootOptions(scene, await scene.build(steps(1)));
    const { files } = await loadBuild(options);
    const [file] = files;
    if (!file) throw new Error('no file');
    const run = new BootRun(options);
    const session = await connect(run);
    try {
      session.direct = false;
      const t = lifecycleTables(run.schema);
      expect(await inTransaction(session, {}, () => new History(session).isApplied(file.name))).toBe(false);
      // The other replica does all of its work between our BEGIN and our keys.
      const query = session.query.bind(session);
      session.query = async (text: string, values?: readonly unknown[]) => {
        if (text.includes('pg_try_advisory_xact_lock'))
          expect(await boot(scene, options.migrationsDir)).toMatchObject({ result: { applied: [migrationName(1)] } });
        return query(text, values) as never;
      };
      const prelude = createHome(t) + createHistory(t);
      expect(await applyTransactional(session, file, { step: '1/1', prelude })).toBe(false);
    } finally {
      await session.close();
      run.dispose();
    }
    expect(await scene.ledger()).toEqual({ [migrationName(1)]: 1 });
    expect(await scene.history()).toHaveLength(1);
    await scene.check();
  });
});
