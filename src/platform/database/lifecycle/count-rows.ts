import { escapeIdentifier, escapeLiteral } from 'pg';

import { looking } from './operate.js';
import type { LifecycleOptions } from './types.js';

/** Rows by table of the application schema, counted one by one: for an operator who wants to see that none is lost. */
export function countRows(options: LifecycleOptions): Promise<Record<string, number>> {
  return looking(options, async ({ session }) => {
    const { schema } = session.run;
    const { rows } = await session.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> '_prisma_migrations'
        ORDER BY c.relname COLLATE "C"`,
      [schema],
    );
    if (rows.length === 0) return {};
    const counts = rows.map(
      ({ name }) =>
        `SELECT ${escapeLiteral(name)} AS name, count(*)::float8 AS n FROM ${escapeIdentifier(schema)}.${escapeIdentifier(name)}`,
    );
    const counted = await session.query<{ name: string; n: number }>(counts.join(' UNION ALL '));
    return Object.fromEntries(counted.rows.map(({ name, n }) => [name, n]));
  });
}
