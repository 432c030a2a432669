import { randomUUID } from 'node:crypto';
import { query } from '../../support/database.js';

interface Column {
  name: string;
  type: string;
  label: string | null;
}

const DAY_MS = 86_400_000;
let made = 0;

/** A different value each time where the type has enough of them. */
function valueOf({ type, label }: Column): unknown {
  made += 1;
  if (type === 'uuid' || type === 'text') return randomUUID();
  if (type === 'jsonb') return {};
  if (type === 'boolean') return false;
  if (type === 'date') return new Date(made * DAY_MS).toISOString().slice(0, 10);
  if (type.startsWith('timestamp')) return new Date(Date.now() + DAY_MS);
  return label ?? made;
}

/** Adds so many rows to a table: what is neither given nor optional gets some value of its type. */
export async function addRows(
  databaseUrl: string,
  table: string,
  count: number,
  given: (i: number) => Record<string, unknown> = () => ({}),
): Promise<Record<string, unknown>[]> {
  const required = await query<Column & Record<string, unknown>>(
    `SELECT c.column_name AS name, c.data_type AS type,
            (SELECT e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname = c.udt_name
             ORDER BY e.enumsortorder LIMIT 1) AS label
     FROM information_schema.columns c
     WHERE c.table_schema = 'public' AND c.table_name = $1 AND c.is_nullable = 'NO' AND c.column_default IS NULL`,
    [table],
    databaseUrl,
  );
  const rows = Array.from({ length: count }, (_, i) => ({
    ...Object.fromEntries(required.map((column) => [column.name, valueOf(column)])),
    ...given(i),
  }));
  const columns = Object.keys(rows[0] ?? {})
    .map((name) => `"${name}"`)
    .join(', ');
  await query(
    `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM jsonb_populate_recordset(NULL::${table}, $1::jsonb)`,
    [JSON.stringify(rows)],
    databaseUrl,
  );
  return rows;
}
