import { clientConfig, targetOf } from './connection-url.js';
import { LifecycleError } from './errors.js';
import { writing } from './operate.js';
import { lifecycleTables } from './tables.js';
import type { LifecycleOptions } from './types.js';

/** Drops the application's schema and the lifecycle's own, whole, under the lock. Only on this machine. */
export async function dropSchemas(options: LifecycleOptions): Promise<void> {
  assertOnThisMachine(options);
  await writing(options, async ({ session }) => {
    const { home, schema } = lifecycleTables(session.run.schema);
    await session.query(`DROP SCHEMA ${home} CASCADE; DROP SCHEMA ${schema} CASCADE; CREATE SCHEMA ${schema}`);
  });
}

/** Throws exit 10 for a database on another machine. */
export function assertOnThisMachine({ connectionString, urlSource = 'DATABASE_URL' }: LifecycleOptions): void {
  const { host } = targetOf(clientConfig(connectionString, urlSource), urlSource);
  if (/^(\/|localhost:|127\.|\[?::1\]?:)/.test(host)) return;
  throw new LifecycleError('config', `a database on ${host} is never reset: only one on this machine`, {
    hint: 'To start over elsewhere, create a new database and point DATABASE_URL at it.',
  });
}
