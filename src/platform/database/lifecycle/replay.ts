import type { ClientBase } from 'pg';

import { messageOf } from './errors.js';
import type { MigrationFile } from './migration-files.js';
import { statements } from './sql-lexer.js';
import { createHistory, lifecycleTables } from './tables.js';

/**
 * Runs migration files on a database nobody else uses: no locks, no retries, no history rows. The session's
 * `search_path` is the schema afterwards. The history table is created, since migrations may refer to it.
 */
export async function replayMigrations(
  client: ClientBase,
  schema: string,
  files: readonly MigrationFile[],
  applied: (file: MigrationFile) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await client.query(createHistory(lifecycleTables(schema)));
  const settings = `SET search_path = ${client.escapeIdentifier(schema)}; SET client_min_messages = warning`;
  for (const file of files) {
    await client.query(settings);
    try {
      await replay(client, file);
    } catch (cause) {
      await client.query('ROLLBACK');
      throw new Error(`${file.name}: ${messageOf(cause)}`, { cause });
    }
    await applied(file);
  }
  await client.query(settings);
}

async function replay(client: ClientBase, { lane, sql }: MigrationFile): Promise<void> {
  const messages = lane === 'no-transaction' ? statements(sql).map(({ text }) => text) : [`BEGIN;\n${sql}\n;COMMIT`];
  for (const message of messages) await client.query(message);
}
