import type { Config } from '../platform/config/config.js';
import { packageVersion } from '../platform/config/package-root.js';
import type { DatabaseService } from '../platform/database/database.service.js';
import { createPool } from '../platform/database/pool.js';
import { createLog } from '../platform/logging/create-log.js';

/** Opens `database` for the time of `work`. Statements are not prepared, so a pooler may stand in between. */
export async function withOpenDatabase<Result>(
  database: DatabaseService,
  config: Config,
  connectionString: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const log = await createLog({ level: 'warn', pretty: true, base: {} });
  const applicationName = `parley/cli/${packageVersion()}`;
  database.open(createPool(config, { connectionString, applicationName, pooler: false }, log), { prepared: false });
  try {
    return await work();
  } finally {
    await database.close();
  }
}
