import type { Db, Tx } from '../../platform/database/db.js';
import { type Sql, sql } from '../../platform/database/sql.js';
import type { SettingsInput } from './dto/system-health.dto.js';

export interface SettingsRow {
  thresholds: unknown;
  backupLocation: string;
  refreshInterval: number;
  metricsRetentionDays: number;
  aggregateRetentionDays: number;
  updatedAt: Date;
  /** Changes with every write; `updated_at` has microseconds which a Date loses. */
  version: string;
}

// The column has no time zone (readers rely on its type); it holds UTC.
const columns: Sql = sql`
  thresholds, "backupLocation", "refreshInterval", "metricsRetentionDays", "aggregateRetentionDays",
  updated_at AT TIME ZONE 'UTC' AS "updatedAt", to_char(updated_at, 'YYYYMMDDHH24MISSUS') AS version`;

export const findSettings = (db: Db): Promise<SettingsRow[]> =>
  db.query<SettingsRow & Record<string, unknown>>(sql`SELECT ${columns} FROM system_health_config WHERE id = 1`);

export const lockSettings = (tx: Tx): Promise<SettingsRow[]> =>
  tx.query<SettingsRow & Record<string, unknown>>(
    sql`SELECT ${columns} FROM system_health_config WHERE id = 1 FOR UPDATE`,
  );

export const saveSettings = (tx: Tx, settings: SettingsInput): Promise<SettingsRow[]> =>
  tx.query<SettingsRow & Record<string, unknown>>(sql`
    UPDATE system_health_config
    SET thresholds = ${JSON.stringify(settings.thresholds)}::jsonb, "backupLocation" = ${settings.backupLocation},
        "refreshInterval" = ${settings.refreshInterval}, "metricsRetentionDays" = ${settings.metricsRetentionDays},
        "aggregateRetentionDays" = ${settings.aggregateRetentionDays},
        updated_at = greatest(clock_timestamp() AT TIME ZONE 'UTC', updated_at + interval '1 microsecond')
    WHERE id = 1 RETURNING ${columns}`);
