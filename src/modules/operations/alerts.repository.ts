import type { Db, Tx } from '../../platform/database/db.js';
import { type Sql, sql } from '../../platform/database/sql.js';
import type { Level } from './alerts.rules.js';
import type { SampleRow } from './samples.repository.js';

export interface AlertRow {
  id: string;
  metric: string;
  level: Level;
  replicaId: string | null;
  value: number;
  threshold: number;
  openedAt: Date;
  resolvedAt: Date | null;
}

const columns: Sql = sql`
  id, metric, level, replica_id AS "replicaId", value, threshold, opened_at AS "openedAt", resolved_at AS "resolvedAt"`;

/** Samples of the last hour and a bit, newest first. */
export const recentSamples = (db: Db): Promise<SampleRow[]> =>
  db.query<SampleRow & Record<string, unknown>>(sql`
    SELECT id, replica_id AS "replicaId", at, "reqCount", "errCount", latency, "p50Latency", "p95Latency", "p99Latency",
           "errorRate", "cacheHitRate", "slowQueries", "cpuUsage", "memoryUsage", "wsConnections", "outboxDepth", "loopDelay"
    FROM system_metric_samples WHERE at > now() - interval '70 minutes' ORDER BY at DESC, id DESC`);

export const openAlerts = (db: Db): Promise<AlertRow[]> =>
  db.query<AlertRow & Record<string, unknown>>(sql`SELECT ${columns} FROM health_alerts WHERE resolved_at IS NULL`);

/** Nothing when the metric of this replica has an open alert already: a unique index sees to that. */
export const openAlert = (
  tx: Tx,
  alert: Pick<AlertRow, 'id' | 'metric' | 'level' | 'replicaId' | 'value' | 'threshold'>,
): Promise<number> =>
  tx.execute(sql`
    INSERT INTO health_alerts (id, metric, level, replica_id, value, threshold)
    VALUES (${alert.id}, ${alert.metric}, ${alert.level}, ${alert.replicaId}, ${alert.value}, ${alert.threshold})
    ON CONFLICT DO NOTHING`);

/** Nothing when it has this level, or was resolved meanwhile. */
export const relevelAlert = (tx: Tx, { id, level, value, threshold }: AlertRow): Promise<number> =>
  tx.execute(sql`
    UPDATE health_alerts SET level = ${level}, value = ${value}, threshold = ${threshold}
    WHERE id = ${id} AND resolved_at IS NULL AND level <> ${level}`);

export const resolveAlert = (tx: Tx, id: string): Promise<number> =>
  tx.execute(sql`UPDATE health_alerts SET resolved_at = now() WHERE id = ${id} AND resolved_at IS NULL`);

export interface AlertFilter {
  from: Date | null;
  to: Date | null;
  replica: string | null;
  state: 'open' | 'resolved' | null;
  before: string | null;
}

/** Newest first; ids sort by time. */
export const listAlerts = (
  db: Db,
  { from, to, replica, state, before }: AlertFilter,
  limit: number,
): Promise<AlertRow[]> =>
  db.query<AlertRow & Record<string, unknown>>(sql`
    SELECT ${columns} FROM health_alerts
    WHERE (${from}::timestamptz IS NULL OR opened_at >= ${from}) AND (${to}::timestamptz IS NULL OR opened_at < ${to})
      AND (${replica}::uuid IS NULL OR replica_id = ${replica})
      AND (${state}::text IS NULL OR (resolved_at IS NULL) = (${state} = 'open'))
      AND (${before}::uuid IS NULL OR id < ${before})
    ORDER BY id DESC LIMIT ${limit}`);

/** Whether the caller's term is the latest still; holds until the transaction ends. */
export const stillHolds = async (tx: Tx, term: Sql): Promise<boolean> => (await tx.query(term)).length > 0;
