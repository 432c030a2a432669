import type { ClientBase } from 'pg';

import { ARCHIVE_FORMAT, ArchiveWriter, END_OF_ROWS } from './backup-archive.js';
import type { SequenceState } from './backup-archive.js';
import { copyOut } from './copy.js';
import { readObjectsInFull } from './manifest-read.js';
import { MANIFEST_FORMAT } from './manifest.js';
import type { Manifest, ManifestMigration, SchemaObject } from './manifest.js';
import { CONTENT_SETTINGS, copyStatement, RowSum } from './table-sums.js';
import type { TableContent } from './table-sums.js';
import { lifecycleSchema, lifecycleTables } from './tables.js';

export interface BackupOptions {
  schema: string;
  /** Where to; a file of that name is replaced once the new one is whole. */
  file: string;
  appVersion: string;
  /** Of this build: lanes, epochs and fingerprints of the migrations the history names. */
  manifest: Manifest;
}

export interface BackupReport {
  file: string;
  head: string;
  tables: number;
  rows: number;
  takenAt: string;
}

/**
 * Writes everything Parley keeps in a database to one file, as of one instant, while others go on writing: application
 * tables, history, the lifecycle's tables, sequences. The client is in no transaction and is used until this returns.
 */
export async function backup(client: ClientBase, options: BackupOptions): Promise<BackupReport> {
  const writer = new ArchiveWriter(options.file);
  try {
    await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${CONTENT_SETTINGS}`);
    const report = await writeArchive(client, writer, options);
    await client.query('COMMIT');
    await writer.finish();
    return report;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    await writer.discard();
    throw error;
  }
}

async function writeArchive(client: ClientBase, writer: ArchiveWriter, options: BackupOptions): Promise<BackupReport> {
  const { schema, appVersion } = options;
  const { rows: facts } = await client.query<{ taken_at: Date; version: string }>(
    `SELECT now() AS taken_at, current_setting('server_version') AS version`,
  );
  const takenAt = facts[0]?.taken_at.toISOString() ?? '';
  const objects = await readObjectsInFull(client, schema);
  const manifest = await manifestOf(client, options, objects);
  writer.line({
    format: ARCHIVE_FORMAT,
    appVersion,
    serverVersion: facts[0]?.version ?? '',
    takenAt,
    schema,
    manifest,
  });
  let total = 0;
  const tables = [...applicationTables(objects), ...(await ownTables(client, schema))];
  for (const table of tables) {
    const sum = new RowSum();
    writer.line(table);
    const home = table.home === 'app' ? schema : lifecycleSchema(schema);
    await copyOut(client, copyStatement(home, table, 'TO STDOUT'), writer.stream, (row) => sum.add(row));
    writer.stream.write(END_OF_ROWS);
    writer.line(sum.sum);
    total += sum.sum.rows;
  }
  // Sequences know no snapshot; read last they are at or past every value in the tables.
  const sequences = await readSequences(client, schema);
  writer.line({ complete: true, tables: tables.length, rows: total, sequences });
  return { file: options.file, head: manifest.head, tables: tables.length, rows: total, takenAt };
}

/** The live objects, and of the build's migrations those that the history has. */
async function manifestOf(
  client: ClientBase,
  { manifest, schema }: BackupOptions,
  objects: SchemaObject[],
): Promise<Manifest> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    `SELECT migration_name AS name, checksum FROM ${lifecycleTables(schema).history}
     WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY migration_name COLLATE "C"`,
  );
  const known = new Map(manifest.migrations.map((migration) => [migration.name, migration]));
  const migrations = rows.map(({ name, checksum }): ManifestMigration => {
    const { lane, epoch, before, after } = known.get(name) ?? {
      lane: 'transactional',
      epoch: 0,
      before: '',
      after: '',
    };
    return { name, checksum, lane, epoch, before, after };
  });
  const epoch = Math.max(0, ...migrations.map((migration) => migration.epoch));
  const head = migrations.at(-1)?.name ?? '';
  return { format: MANIFEST_FORMAT, minServer: manifest.minServer, head, epoch, migrations, objects };
}

function applicationTables(objects: SchemaObject[]): TableContent[] {
  const columns = Map.groupBy(
    objects.filter((o) => o.kind === 'column' && !o.definition.includes(' GENERATED ALWAYS AS (')),
    ({ table }) => table,
  );
  const tables = objects.filter((o) => o.kind === 'table' && !o.definition.includes('foreign'));
  return tables
    .filter(({ definition }) => !definition.includes('PARTITION BY')) // its partitions hold the rows
    .map(({ name }) => ({ home: 'app', name, columns: (columns.get(name) ?? []).map((column) => column.name) }));
}

/** The history and the tables of the lifecycle itself. */
async function ownTables(client: ClientBase, schema: string): Promise<TableContent[]> {
  const { rows } = await client.query<TableContent>(
    `SELECT CASE WHEN c.relname = '_prisma_migrations' THEN 'app' ELSE 'lifecycle' END AS home, c.relname::text AS name,
            array_agg(a.attname::text ORDER BY a.attnum) AS columns
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind = 'r' AND ((n.nspname = $1 AND c.relname = '_prisma_migrations') OR n.nspname = $2)
     GROUP BY c.relname ORDER BY c.relname`,
    [schema, lifecycleSchema(schema)],
  );
  return rows;
}

async function readSequences(client: ClientBase, schema: string): Promise<SequenceState[]> {
  const { rows } = await client.query<Omit<SequenceState, 'lastValue' | 'isCalled'>>(
    `SELECT CASE WHEN n.nspname = $1 THEN 'app' ELSE 'lifecycle' END AS home, c.relname::text AS name,
            coalesce(o.relname::text, '') AS table, coalesce(a.attname::text, '') AS column
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
            AND d.refclassid = 'pg_class'::regclass
          LEFT JOIN pg_class o ON o.oid = d.refobjid
          LEFT JOIN pg_attribute a ON a.attrelid = o.oid AND a.attnum = d.refobjsubid
     WHERE c.relkind = 'S' AND n.nspname IN ($1, $2) ORDER BY n.nspname, c.relname`,
    [schema, lifecycleSchema(schema)],
  );
  const states: SequenceState[] = [];
  for (const row of rows) {
    const home = client.escapeIdentifier(row.home === 'app' ? schema : lifecycleSchema(schema));
    const state = await client.query<{ lastValue: string; isCalled: boolean }>(
      `SELECT last_value::text AS "lastValue", is_called AS "isCalled" FROM ${home}.${client.escapeIdentifier(row.name)}`,
    );
    states.push({ ...row, lastValue: state.rows[0]?.lastValue ?? '1', isCalled: state.rows[0]?.isCalled ?? false });
  }
  return states;
}
