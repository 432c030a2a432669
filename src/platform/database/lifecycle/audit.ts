import { hostname } from 'node:os';

import { redact } from './errors.js';
import type { Session } from './session.js';
import { lifecycleTables } from './tables.js';

export type AuditAction =
  | 'migration.failed'
  | 'migration.quarantined'
  | 'migration.retry'
  | 'history.adopted'
  | 'history.resolved'
  | 'schema.repaired'
  | 'schema.ahead'
  | 'epoch.raised'
  | 'backup.taken';

export interface AuditEntry {
  action: AuditAction;
  migration?: string;
  checksum?: string;
  detail?: Readonly<Record<string, unknown>>;
}

/** One row of the lifecycle's own diary, in the caller's transaction if one is open. */
export async function audit(session: Session, entry: AuditEntry): Promise<void> {
  const { options, schema } = session.run;
  await session.query(
    `INSERT INTO ${lifecycleTables(schema).audit} (action, migration, checksum, detail, app_version, host)
     VALUES ($1, $2, $3, $4::jsonb, $5, $6)`,
    [
      entry.action,
      entry.migration ?? null,
      entry.checksum ?? null,
      redact(JSON.stringify(entry.detail ?? {})),
      options.appVersion,
      options.host ?? hostname(),
    ],
  );
}
