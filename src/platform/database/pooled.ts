import pg from 'pg';
import { clientConfig } from './lifecycle/connection-url.js';
import { LifecycleError } from './lifecycle/errors.js';

/**
 * Whether a transaction pooler answers at the application's URL: it greets with another process than the one that then
 * works. Sessions there cannot be given a search_path, so the server must find our schema by itself.
 * @throws LifecycleError exit 18 when it does not
 */
export async function isPooled(url: string, schema: string, attemptMs: number): Promise<boolean> {
  const client = new pg.Client({ ...clientConfig(url, 'DATABASE_URL'), connectionTimeoutMillis: attemptMs });
  // Whoever waits gets the error; without a listener it would end the process as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ pid: number; schema: string | null; role: string; database: string }>(
      `SELECT pg_backend_pid() AS pid, current_schema() AS schema,
              quote_ident(current_user) AS role, quote_ident(current_database()) AS database`,
    );
    const [seen] = rows;
    const greetedBy = (client as unknown as { processID: number | null }).processID;
    if (!seen || seen.pid === greetedBy) return false;
    if (seen.schema === schema) return true;
    throw new LifecycleError(
      'pooler',
      `behind the pooler of DATABASE_URL the schema "${schema}" is not on the search_path`,
      {
        hint:
          `ALTER ROLE ${seen.role} IN DATABASE ${seen.database} SET search_path = ${pg.escapeIdentifier(schema)}, public; ` +
          'then let the pooler reconnect (PgBouncer: RECONNECT).',
      },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}
