import { escapeIdentifier, escapeLiteral } from 'pg';

import type { Session } from './session.js';
import { codeOf } from './errors.js';

/**
 * Settings every statement of the lifecycle runs under. `SESSION` on a direct connection; `LOCAL`, once per transaction,
 * behind a pooler, where a session setting would leak to strangers.
 */
export function settingsSql(session: Session, scope: 'SESSION' | 'LOCAL', withConnectionCheck = true): string {
  const { schema, settings } = session.run;
  const pairs: [string, string][] = [
    ['TimeZone', 'UTC'],
    ['search_path', escapeIdentifier(schema)],
    ['lock_timeout', `${settings.migrationLockTimeoutMs}`],
    ['statement_timeout', '0'],
    ['idle_in_transaction_session_timeout', `${settings.idleTimeoutMs}`],
    ['jit', 'off'],
  ];
  if (scope === 'SESSION') {
    pairs.push(['idle_session_timeout', `${settings.idleTimeoutMs}`], ['tcp_keepalives_idle', '10']);
    // Ends a long statement soon after its client died, so that the next replica need not wait for it.
    if (withConnectionCheck) pairs.push(['client_connection_check_interval', '2000']);
    pairs.push(['application_name', session.name]);
  }
  return setting(pairs, scope);
}

/** One statement for all of them: the server takes each statement of a message by itself. */
export function setting(pairs: readonly [name: string, value: string][], scope: 'SESSION' | 'LOCAL'): string {
  const calls = pairs.map(
    ([name, value]) => `pg_catalog.set_config('${name}', ${escapeLiteral(value)}, ${scope === 'LOCAL'})`,
  );
  return `SELECT ${calls.join(', ')}`;
}

/** Of a direct connection; sent after connecting, and again after each script, since that may change any of them. */
export const sessionSettings = (session: Session): string => settingsSql(session, 'SESSION', session.connectionCheck);

export async function applySettings(session: Session): Promise<void> {
  if (!session.direct) return;
  try {
    await session.query(sessionSettings(session));
  } catch (error) {
    // Not every platform's server can watch its clients.
    if (codeOf(error) !== '22023' || !session.connectionCheck) throw error;
    session.connectionCheck = false;
    await session.query(sessionSettings(session));
  }
}
