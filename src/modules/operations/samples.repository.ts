import type { Db, Tx } from '../../platform/database/db.js';
import { joinSql, rawSql, type Sql, sql } from '../../platform/database/sql.js';
import type { SampleView } from './dto/sample.view.js';

export type SampleRow = Omit<SampleView, 'at'> & { at: Date };

/** Columns that a day has as average and maximum. */
const averaged = [
  'latency',
  'p50Latency',
  'p95Latency',
  'p99Latency',
  'errorRate',
  'cacheHitRate',
  'cpuUsage',
  'memoryUsage',
  'wsConnections',
  'outboxDepth',
  'loopDelay',
] as const;
const summed = ['reqCount', 'errCount', 'slowQueries'] as const;
const quoted = (names: readonly string[]): Sql => rawSql(names.map((name) => `"${name}"`).join(', '));
const measured = quoted([...summed, ...averaged]);

export const insertSample = (db: Db, sample: SampleRow): Promise<number> =>
  db.execute(sql`
    INSERT INTO system_metric_samples (id, replica_id, at, ${measured})
    VALUES (${sample.id}, ${sample.replicaId}, ${sample.at},
            ${joinSql(
              [...summed, ...averaged].map((name) => sql`${sample[name]}`),
              ', ',
            )})`);

export interface SampleFilter {
  from: Date | null;
  to: Date | null;
  replica: string | null;
  before: { at: Date; id: string } | null;
}

/** Newest first. */
export const listSamples = (db: Db, { from, to, replica, before }: SampleFilter, limit: number): Promise<SampleRow[]> =>
  db.query<SampleRow>(sql`
    SELECT id, replica_id AS "replicaId", at, ${measured} FROM system_metric_samples
    WHERE (${from}::timestamptz IS NULL OR at >= ${from}) AND (${to}::timestamptz IS NULL OR at < ${to})
      AND (${replica}::uuid IS NULL OR replica_id = ${replica})
      AND (${before?.at ?? null}::timestamptz IS NULL OR (at, id) < (${before?.at ?? null}, ${before?.id ?? null}))
    ORDER BY at DESC, id DESC LIMIT ${limit}`);

const dailyColumns = [
  ...summed.map((name) => `${name}Sum`),
  ...averaged.flatMap((name) => [`${name}Avg`, `${name}Max`]),
] as const;
const dailyValues = rawSql(
  [...summed.map((name) => `sum("${name}")`), ...averaged.flatMap((name) => [`avg("${name}")`, `max("${name}")`])].join(
    ', ',
  ),
);
const dailyReplaced = rawSql(dailyColumns.map((name) => `"${name}" = excluded."${name}"`).join(', '));

/**
 * Computes each day (UTC) anew from its samples, from the day before the last one that was computed: a rerun changes
 * nothing, and days of an interruption are made up for. Worse is lower for the cache hit rate, whose maximum is its best.
 * @param term a query with a row while the caller may do this
 */
export const rollUp = (tx: Tx, term: Sql): Promise<number> =>
  tx.execute(sql`
    INSERT INTO system_metric_daily AS d (day, replica_id, samples, ${quoted(dailyColumns)})
    SELECT (at AT TIME ZONE 'UTC')::date, replica_id, count(*), ${dailyValues}
    FROM system_metric_samples
    WHERE EXISTS (${term})
      AND at >= coalesce((SELECT max(day) - 1 FROM system_metric_daily)::timestamp AT TIME ZONE 'UTC', '-infinity')
    GROUP BY 1, 2
    ON CONFLICT (day, replica_id) DO UPDATE SET samples = excluded.samples, ${dailyReplaced}`);

export type DailyRow = { day: string; replicaId: string; samples: number } & Record<string, unknown>;

export interface DailyFilter {
  from: string | null;
  to: string | null;
  replica: string | null;
  before: { day: string; replicaId: string } | null;
}

/** The latest day first; `to` is included. */
export const listDaily = (db: Db, { from, to, replica, before }: DailyFilter, limit: number): Promise<DailyRow[]> =>
  db.query<DailyRow>(sql`
    SELECT day::text AS day, replica_id AS "replicaId", samples, ${quoted(dailyColumns)} FROM system_metric_daily
    WHERE (${from}::date IS NULL OR day >= ${from}) AND (${to}::date IS NULL OR day <= ${to})
      AND (${replica}::uuid IS NULL OR replica_id = ${replica})
      AND (${before?.day ?? null}::date IS NULL
           OR day < ${before?.day ?? null} OR (day = ${before?.day ?? null} AND replica_id > ${before?.replicaId ?? null}))
    ORDER BY day DESC, replica_id LIMIT ${limit}`);

export interface Served {
  days: number;
  measuredDays: number;
  requests: number;
  errors: number;
}

/** What was asked and what failed in the last `windows` days (UTC), each with today as far as it is computed. */
export const served = (db: Db, windows: readonly number[]): Promise<Served[]> =>
  db.query<Served & Record<string, unknown>>(sql`
    SELECT days, count(DISTINCT day)::int AS "measuredDays", coalesce(sum("reqCountSum"), 0)::bigint AS requests,
           coalesce(sum("errCountSum"), 0)::bigint AS errors
    FROM unnest(${windows}::int[]) AS days
    LEFT JOIN system_metric_daily ON day > (now() AT TIME ZONE 'UTC')::date - days
    GROUP BY days ORDER BY days`);

export interface Purged {
  samples: number;
  days: number;
  alerts: number;
  violations: number;
}

/** Whole days only, so that a day is never computed from half of its samples. */
export async function purge(
  tx: Tx,
  { sampleDays, dailyDays }: { sampleDays: number; dailyDays: number },
): Promise<Purged> {
  const oldest = (days: number) => sql`date_trunc('day', now(), 'UTC') - make_interval(days => ${days})`;
  return {
    samples: await tx.execute(sql`DELETE FROM system_metric_samples WHERE at < ${oldest(sampleDays)}`),
    days: await tx.execute(sql`DELETE FROM system_metric_daily WHERE day < (${oldest(dailyDays)})::date`),
    alerts: await tx.execute(sql`DELETE FROM health_alerts WHERE resolved_at < ${oldest(dailyDays)}`),
    violations: await tx.execute(sql`DELETE FROM rate_limit_violations WHERE at < ${oldest(sampleDays)}`),
  };
}
