import { BootRun } from './boot-run.js';
import { appRoleOf, preflight } from './boot-session.js';
import { checkDatabase } from './check.js';
import { connect } from './connect.js';
import { LifecycleError } from './errors.js';
import { loadBuild } from './build.js';
import { MigrationLock } from './lock.js';
import { poolerError } from './preflight.js';
import type { Build } from './reconcile.js';
import { createHome, lifecycleTables } from './tables.js';
import type { Session } from './session.js';
import type { DatabaseState } from './state.js';
import { inTransaction } from './transaction.js';
import type { LifecycleOptions } from './types.js';

/** What a command works with: one connected session, this build, and the database's state. */
export interface Desk {
  session: Session;
  build: Build;
  read: () => Promise<DatabaseState>;
}

/** Runs a read-only command: no lock, no write. */
export async function looking<T>(options: LifecycleOptions, work: (desk: Desk) => Promise<T>): Promise<T> {
  const run = new BootRun(options);
  try {
    const build = await loadBuild(options);
    const session = await connect(run);
    try {
      await preflight(session);
      return await work({ session, build, read: () => checkDatabase(session, appRoleOf(session)) });
    } finally {
      await session.close();
    }
  } catch (error) {
    run.signal.throwIfAborted();
    throw error;
  } finally {
    run.dispose();
  }
}

/** Runs a command that writes: under the same lock as a boot, which therefore waits for it and then goes on. */
export async function writing<T>(
  options: LifecycleOptions,
  work: (desk: Desk & { lock: MigrationLock }) => Promise<T>,
): Promise<T> {
  return looking(options, async (desk) => {
    if (!desk.session.direct) throw poolerError('this command needs a direct connection');
    const lock = new MigrationLock(desk.session);
    if (!(await lock.acquire(() => Promise.resolve(false)))) throw new LifecycleError('lock', 'the lock was not taken');
    await inTransaction(desk.session, {}, () =>
      desk.session.query(createHome(lifecycleTables(desk.session.run.schema))),
    );
    const result = await work({ ...desk, lock });
    await lock.release();
    return result;
  });
}
