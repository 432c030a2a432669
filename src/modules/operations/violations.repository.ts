import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { Violation } from './violations.rules.js';

/** Adds to the rows there are. In one order, so that two replicas cannot wait for each other. */
export function addViolations(db: Db, violations: readonly Violation[]): Promise<number> {
  const rows = violations.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return db.execute(sql`
    INSERT INTO rate_limit_violations AS v (id, at, rule, route, key_hash, user_id, ip_hash, count)
    SELECT * FROM unnest(
      ${rows.map((r) => r.id)}::uuid[], ${rows.map((r) => r.at)}::timestamptz[], ${rows.map((r) => r.rule)}::text[],
      ${rows.map((r) => r.route)}::text[], ${rows.map((r) => r.keyHash)}::text[], ${rows.map((r) => r.userId)}::uuid[],
      ${rows.map((r) => r.ipHash)}::text[], ${rows.map((r) => r.count)}::bigint[])
    ON CONFLICT (id) DO UPDATE SET count = v.count + excluded.count`);
}

export interface ViolationFilter {
  from: Date | null;
  to: Date | null;
  rule: string | null;
  before: { at: Date; id: string } | null;
}

/** Newest first. */
export const listViolations = (
  db: Db,
  { from, to, rule, before }: ViolationFilter,
  limit: number,
): Promise<Violation[]> =>
  db.query<Violation & Record<string, unknown>>(sql`
    SELECT id, at, rule, route, key_hash AS "keyHash", user_id AS "userId", ip_hash AS "ipHash", count
    FROM rate_limit_violations
    WHERE (${from}::timestamptz IS NULL OR at >= ${from}) AND (${to}::timestamptz IS NULL OR at < ${to})
      AND (${rule}::text IS NULL OR rule = ${rule})
      AND (${before?.at ?? null}::timestamptz IS NULL OR (at, id) < (${before?.at ?? null}, ${before?.id ?? null}))
    ORDER BY at DESC, id DESC LIMIT ${limit}`);
