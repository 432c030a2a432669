import { settingsSql } from './session-settings.js';
import type { Session } from './session.js';
import { readState, type DatabaseState } from './state.js';
import { lifecycleTables } from './tables.js';

/** Reads everything a decision needs in one snapshot, without any lock. Also used again under the lock. */
export async function checkDatabase(session: Session, appRole?: string): Promise<DatabaseState> {
  const { run } = session;
  const settings = session.direct ? '' : `;\n${settingsSql(session, 'LOCAL')}`;
  try {
    await session.query(`BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY${settings}`);
    const structure = { read: run.options.manifest !== undefined, appRole };
    const state = await session.use((client) => readState(client, lifecycleTables(run.schema), run.schema, structure));
    await session.query('COMMIT');
    return state;
  } catch (error) {
    await session.rollback();
    run.signal.throwIfAborted();
    throw error;
  }
}
