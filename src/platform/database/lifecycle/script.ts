import { createHistory, createHome, lifecycleTables, literal } from './tables.js';
import type { MigrationFile } from './migration-files.js';
import type { Build } from './reconcile.js';

/**
 * The whole schema as one script for an empty database, with the history it leaves behind: what a person with rights
 * applies where Parley has none. Run it with `psql -v ON_ERROR_STOP=1 -f`. A second run changes nothing, and the next boot
 * finds nothing to migrate; seeds are not part of it.
 */
export function schemaScript(build: Build, schema = 'public'): string {
  const t = lifecycleTables(schema);
  const lines = [
    `-- Schema of Parley, ${build.files.length} migrations, through ${build.files.at(-1)?.name ?? 'none'}.`,
    '-- For an empty database: psql -v ON_ERROR_STOP=1 -f <this file>; then: parley db seed',
    `SET TimeZone = 'UTC';\nSET lock_timeout = '5s';`,
    inTransaction(`${createHistory(t)}${createHome(t)}\nSET search_path = ${t.schema};`),
    ...build.files.map((file) => {
      const statements = `${terminated(file.sql)}\n${record(file, schema)}`;
      return `-- ${file.name}\n${file.lane === 'transactional' ? inTransaction(statements) : statements}`;
    }),
  ];
  return `${lines.join('\n\n')}\n`;
}

const inTransaction = (statements: string): string => `BEGIN;\n${statements}\nCOMMIT;`;
const terminated = (sql: string): string => (sql.trimEnd().endsWith(';') ? sql.trimEnd() : `${sql.trimEnd()}\n;`);

/** The row and the epoch that the runner would leave. */
function record(file: MigrationFile, schema: string): string {
  const { history, meta } = lifecycleTables(schema);
  const name = literal(file.name);
  const row = `INSERT INTO ${history} (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
SELECT gen_random_uuid()::text, '${file.checksum}', ${name}, now(), clock_timestamp(), 1
 WHERE NOT EXISTS (SELECT FROM ${history} WHERE migration_name = ${name} AND finished_at IS NOT NULL AND rolled_back_at IS NULL);`;
  if (file.epoch === 0) return row;
  return `${row}\nUPDATE ${meta} SET min_epoch = ${file.epoch}, updated_at = clock_timestamp() WHERE min_epoch < ${file.epoch};`;
}
