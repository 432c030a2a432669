import type { Config } from '../config/config.js';
import type { DatabaseService } from '../database/database.service.js';
import type { DatabaseContext } from '../database/schema-gate.js';
import type { BackgroundWork } from '../lifecycle/background-work.js';
import type { Breakers } from '../lifecycle/breakers.js';
import type { Log } from '../logging/log.js';
import type { DelayedWork } from './delayed-work.js';
import { OutboxWork } from './outbox-work.driver.js';

/** Rows of the outbox, unless the configuration names something else; only that is loaded. */
export async function createQueue(
  config: Config,
  context: Pick<DatabaseContext, 'url'>,
  database: DatabaseService,
  background: BackgroundWork,
  breakers: Breakers,
  log: Log,
): Promise<DelayedWork> {
  const url = config.SQS_QUEUE_URL;
  const driver = config.QUEUE_DRIVER ?? (url === undefined ? 'outbox' : 'sqs');
  if (driver === 'outbox') return new OutboxWork(database, background, log);
  if (driver === 'pgboss') {
    const { PgBossWork } = await import('./pgboss-work.driver.js');
    return new PgBossWork(context.url, database, background, log);
  }
  if (url === undefined) throw new Error('QUEUE_DRIVER=sqs needs SQS_QUEUE_URL');
  const { SqsWork } = await import('./sqs-work.driver.js');
  return new SqsWork(url, config, database, background, breakers.of('queue'), log);
}
