import { settingsSql } from './session-settings.js';
import type { Session } from './session.js';
import { readState, type DatabaseState } from './state.js';

/** Reads everything a decision needs in one snapshot, without any lock. Also used again under the lock. */
export async function checkDatabase(session: Session, appRole?: string): Promise<DatabaseState> {
  const { run } = session;
  const settings = session.direct ? '' : `${settingsSql(session, 'LOCAL')};\n`;
  try {
    const structure = run.options.manifest !== undefined;
    const { found } = session;
    const state = await session.use((client) => readState(client, run.schema, { structure, appRole, found, settings }));
    session.found = { history: state.history !== null, home: state.home, empty: state.empty };
    return state;
  } catch (error) {
    run.signal.throwIfAborted();
    throw error;
  }
}
