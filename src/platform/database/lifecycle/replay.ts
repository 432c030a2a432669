import type { ClientBase } from 'pg';

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
    if (file.lane === 'no-transaction') {
      for (const { text } of statements(file.sql)) await client.query(text);
    } else {
      await client.query(`BEGIN;\n${file.sql}\n;COMMIT`).catch(async (error: unknown) => {
        await client.query('ROLLBACK');
        throw error;
      });
    }
    await applied(file);
  }
  await client.query(settings);
}
