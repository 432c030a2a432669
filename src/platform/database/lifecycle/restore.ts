import type { ClientBase } from 'pg';
import { escapeIdentifier as id } from 'pg';

import { ArchiveError, ArchiveReader } from './backup-archive.js';
import type { ArchiveEnd, ArchiveHeader, SequenceState } from './backup-archive.js';
import { copyIn } from './copy.js';
import { compareObjects } from './manifest-compare.js';
import { readLiveObjects } from './manifest-read.js';
import type { SchemaObject } from './manifest.js';
import type { MigrationFile } from './migration-files.js';
import { repair } from './repair.js';
import { replayMigrations } from './replay.js';
import { CONTENT_SETTINGS, copyStatement, sumTable } from './table-sums.js';
import type { TableContent, TableSum } from './table-sums.js';
import { createHome, lifecycleSchema, lifecycleTables } from './tables.js';

export interface RestoreOptions {
  schema: string;
  file: string;
  /** The migrations of this build: at least those the backup had. */
  migrations: readonly MigrationFile[];
}

export interface RestoreReport {
  head: string;
  tables: number;
  rows: number;
  takenAt: string;
}

/**
 * Loads a backup into an empty database: schema by the migrations the backup had, then all rows in one transaction,
 * every table compared with its sum, the schema with the archive's. Clients learn by a new data epoch that positions
 * they hold mean nothing any more. The next boot upgrades the schema, if this build is newer.
 * The caller holds the lifecycle locks, and is not in a transaction. After a failure the database is to be dropped.
 * @throws ArchiveError with the reason; exit 31.
 */
export async function restore(client: ClientBase, options: RestoreOptions): Promise<RestoreReport> {
  const { schema } = options;
  const archive = new ArchiveReader(options.file);
  try {
    const header = await archive.header();
    await assertEmpty(client, schema);
    await buildSchema(client, header, options);
    await client.query(`BEGIN; ${CONTENT_SETTINGS}; SET LOCAL lock_timeout = 0`);
    try {
      const end = await load(client, archive, schema);
      await assertSchema(client, header.manifest.objects, schema);
      await raiseDataEpoch(client, schema);
      await client.query('COMMIT');
      return { head: header.manifest.head, tables: end.tables, rows: end.rows, takenAt: header.takenAt };
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    }
  } finally {
    await archive.close();
  }
}

async function assertEmpty(client: ClientBase, schema: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
     LIMIT 1`,
    [schema],
  );
  const found = rows[0]?.name;
  if (found !== undefined) throw new ArchiveError(`the database is not empty (${found}): restore into a new one`);
}

async function buildSchema(client: ClientBase, { manifest }: ArchiveHeader, options: RestoreOptions): Promise<void> {
  const { schema } = options;
  const known = new Map(options.migrations.map((file) => [file.name, file]));
  const files = manifest.migrations.map(({ name, checksum }): MigrationFile => {
    const file = known.get(name);
    if (file === undefined) throw new ArchiveError(`the backup has migration ${name}, which this build does not know`);
    if (file.checksum !== checksum && !file.foldedChecksums.includes(checksum)) {
      throw new ArchiveError(`migration ${name} of this build is not the one the backup was made with`);
    }
    return file;
  });
  await client.query(createHome(lifecycleTables(schema)));
  await replayMigrations(client, schema, files);
  // What an operator had added by hand holds data too.
  const { refused } = await repair(client, manifest, { schema, audit: () => Promise.resolve() });
  if (refused.length > 0) {
    const list = refused.map(({ object, reason }) => `${object} (${reason})`).join(', ');
    throw new ArchiveError(`the backup has objects that cannot be made again: ${list}`);
  }
}

/** Loads all rows with foreign keys and triggers away, so that neither order nor side effects matter. */
async function load(client: ClientBase, archive: ArchiveReader, schema: string): Promise<ArchiveEnd> {
  const objects = await readLiveObjects(client, schema);
  const keys = objects.filter(({ kind }) => kind === 'foreign key');
  const triggers = objects.filter(({ kind, definition }) => kind === 'trigger' && !definition.endsWith(' (disabled)'));
  const alter = ({ table }: SchemaObject): string => `ALTER TABLE ${id(schema)}.${id(table)}`;
  for (const key of keys) await client.query(`${alter(key)} DROP CONSTRAINT ${id(key.name)}`);
  for (const trigger of triggers) await client.query(`${alter(trigger)} DISABLE TRIGGER ${id(trigger.name)}`);

  const loaded: { table: TableContent; home: string; sum: TableSum }[] = [];
  let next = await archive.next();
  for (; !('complete' in next); next = await archive.next()) {
    const table = next;
    const home = table.home === 'app' ? schema : lifecycleSchema(schema);
    await client.query(`DELETE FROM ${id(home)}.${id(table.name)}`); // rows that a migration wrote
    await copyIn(client, copyStatement(home, table, 'FROM STDIN'), archive.rows());
    loaded.push({ table, home, sum: await archive.sum() });
  }
  for (const state of next.sequences) await setSequence(client, state, schema);
  for (const { table, home, sum } of loaded) await assertSum(client, home, table, sum);

  for (const trigger of triggers)
    await client.query(`${alter(trigger)} ${enable(trigger)} TRIGGER ${id(trigger.name)}`);
  for (const key of keys) {
    const unchecked = key.valid === false ? ' NOT VALID' : '';
    await client.query(`${alter(key)} ADD CONSTRAINT ${id(key.name)} ${key.definition}${unchecked}`);
  }
  return next;
}

const enable = ({ definition }: SchemaObject): string =>
  definition.endsWith(' (always)') ? 'ENABLE ALWAYS' : definition.endsWith(' (replica)') ? 'ENABLE REPLICA' : 'ENABLE';

async function assertSum(client: ClientBase, home: string, table: TableContent, expected: TableSum): Promise<void> {
  const found = await sumTable(client, home, table);
  if (found.rows === expected.rows && found.hash === expected.hash) return;
  throw new ArchiveError(
    `table ${table.name} is not what was backed up: ${expected.rows} rows ${expected.hash}, loaded ${found.rows} rows ${found.hash}`,
  );
}

async function setSequence(client: ClientBase, state: SequenceState, schema: string): Promise<void> {
  const home = id(state.home === 'app' ? schema : lifecycleSchema(schema));
  const sequence =
    state.table === '' ? '$1::regclass' : `pg_get_serial_sequence($1, ${client.escapeLiteral(state.column)})::regclass`;
  const name = `${home}.${id(state.table === '' ? state.name : state.table)}`;
  await client.query(`SELECT setval(${sequence}, $2::bigint, $3)`, [name, state.lastValue, state.isCalled]);
}

async function assertSchema(client: ClientBase, expected: SchemaObject[], schema: string): Promise<void> {
  const { fatal } = compareObjects(expected, await readLiveObjects(client, schema), { drift: 'strict' });
  if (fatal.length === 0) return;
  throw new ArchiveError(
    `the restored schema differs: ${fatal.map(({ object, kind }) => `${object} ${kind}`).join(', ')}`,
  );
}

async function raiseDataEpoch(client: ClientBase, schema: string): Promise<void> {
  const table = `${id(schema)}.server_epoch`;
  const { rows } = await client.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [table]);
  if (rows[0]?.found !== true) return;
  await client.query(`UPDATE ${table} SET epoch = gen_random_uuid(), reason = 'restore', changed_at = now()`);
}
