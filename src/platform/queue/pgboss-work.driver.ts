import type { Db as BossDb, PgBoss } from 'pg-boss';
import { newId } from '../clock/clock.js';
import { DatabaseService } from '../database/database.service.js';
import type { Db, Tx } from '../database/db.js';
import { clientConfig } from '../database/lifecycle/connection-url.js';
import { Sql, sql } from '../database/sql.js';
import type { BackgroundWork } from '../lifecycle/background-work.js';
import type { Log } from '../logging/log.js';
import { withTrace } from '../logging/tracing.js';
import { CLAIM_S, MAX_ATTEMPTS } from './attempts.js';
import { insertLetter } from './dead-letters.repository.js';
import type { Backlog, WorkItem } from './delayed-work.js';
import { measured } from './measured.js';
import { outboxBacklog, WORK_TOPIC } from './outbox.repository.js';
import { type ClaimedWork, PolledWork } from './polled-work.js';

interface JobData {
  /** Stable over all the jobs that one piece of work becomes. */
  id: string;
  key: string;
  payload: Record<string, unknown>;
  /** Attempts of the jobs before. */
  attempts: number;
}

interface ClaimedJob extends ClaimedWork {
  jobId: string;
}

const SCHEMA = 'pgboss';
const CONNECTIONS = 2;
/** Where jobs end whose workers died each time. */
const LOST = 'lost';

/**
 * Work as jobs of pg-boss, in a schema of its own that pg-boss makes and keeps up to date, under a lock of its own. Added
 * in the caller's transaction. A failed attempt becomes a new job, since only that can be due when the handler says.
 */
export class PgBossWork extends PolledWork<ClaimedJob> {
  readonly driver = 'pgboss';
  private started: PgBoss | undefined;

  constructor(
    private readonly connectionString: string,
    private readonly database: DatabaseService,
    background: BackgroundWork,
    private readonly logger: Log,
  ) {
    super(background, logger);
    this.consume({ queue: LOST, concurrency: 1, handle: ({ payload }) => this.buryLost(payload) });
  }

  override async open(): Promise<void> {
    const { PgBoss } = await import('pg-boss');
    const boss = new PgBoss({
      ...clientConfig(this.connectionString, 'DATABASE_URL'),
      schema: SCHEMA,
      max: CONNECTIONS,
      application_name: 'parley/queue',
      schedule: false,
    });
    boss.on('error', (error) => this.logger.warn('queue.error', { driver: this.driver, err: error }));
    await boss.start();
    await boss.createQueue(LOST);
    for (const queue of this.queues) {
      if (queue === LOST) continue;
      await boss.createQueue(queue, {
        expireInSeconds: CLAIM_S,
        retryLimit: MAX_ATTEMPTS,
        retryDelay: 1,
        deadLetter: LOST,
      });
    }
    this.started = boss;
  }

  override async close(): Promise<void> {
    await this.started?.stop({ graceful: false });
  }

  async add(items: readonly WorkItem[], db: Db = this.database): Promise<void> {
    for (const [queue, group] of Map.groupBy(items, (item) => item.queue)) {
      await this.insert(
        db,
        queue,
        group.map(({ key, payload, delayMs = 0 }) => ({
          id: `work-${newId()}`,
          key,
          payload: withTrace(payload),
          attempts: 0,
          delayMs,
        })),
      );
    }
    this.hurryFor(items, db);
  }

  async backlog(): Promise<Backlog[]> {
    const [events, jobs] = await Promise.all([
      outboxBacklog(this.database),
      this.database.query<Backlog & Record<string, unknown>>(sql`
        SELECT name AS queue, count(*) FILTER (WHERE state < 'active' AND start_after <= now()) AS waiting,
               count(*) FILTER (WHERE state = 'active' OR start_after > now()) AS later,
               coalesce(extract(epoch FROM now() - min(start_after) FILTER (WHERE state < 'active' AND start_after <= now())), 0)::float8
                 AS "oldestSeconds"
        FROM pgboss.job WHERE state <= 'active' GROUP BY name ORDER BY name`),
    ]);
    return [...events, ...jobs];
  }

  async claim(queue: string, limit: number): Promise<ClaimedJob[]> {
    const jobs = await this.boss.fetch<JobData>(queue, { batchSize: limit, includeMetadata: true });
    return jobs.map(({ id: jobId, data: { id, key, payload, attempts }, retryCount, sourceName }) => ({
      id,
      jobId,
      key,
      payload: queue === LOST ? { queue: sourceName, key, payload } : payload,
      attempts: attempts + retryCount + 1,
    }));
  }

  async done(queue: string, { jobId }: ClaimedJob): Promise<void> {
    await this.boss.deleteJob(queue, jobId);
  }

  async postpone(queue: string, work: ClaimedJob, pauseMs: number, counts: boolean): Promise<void> {
    const { id, jobId, key, payload, attempts } = work;
    await this.database.tx(async (tx) => {
      await this.boss.deleteJob(queue, jobId, { db: asBossDb(tx) });
      await this.insert(tx, queue, [
        { id, key, payload, attempts: counts ? attempts : attempts - 1, delayMs: pauseMs },
      ]);
    });
  }

  async bury(queue: string, { jobId, key, payload, attempts }: ClaimedJob, reason: string): Promise<void> {
    await this.database.tx(async (tx) => {
      await this.boss.deleteJob(queue, jobId, { db: asBossDb(tx) });
      await insertLetter(tx, { queue, topic: WORK_TOPIC + queue, payload: { key, payload }, reason, attempts });
    });
  }

  /** Nobody could record what became of it. */
  private async buryLost(lost: Record<string, unknown>): Promise<void> {
    const queue = typeof lost['queue'] === 'string' ? lost['queue'] : LOST;
    const payload = { key: lost['key'], payload: lost['payload'] };
    const reason = 'taken too often without an outcome';
    await insertLetter(this.database, { queue, topic: WORK_TOPIC + queue, payload, reason, attempts: MAX_ATTEMPTS });
  }

  private async insert(db: Db, queue: string, jobs: readonly (JobData & { delayMs: number })[]): Promise<void> {
    // A date of this machine's clock could lie in the future of the server's.
    const dated = jobs.map(({ delayMs, ...data }) => ({
      data,
      ...(delayMs > 0 ? { startAfter: delayMs / 1000 } : {}),
    }));
    await measured('pgboss', 'insert', () => this.boss.insert(queue, dated, { db: asBossDb(db) }));
  }

  private get boss(): PgBoss {
    if (!this.started) throw new Error('the queue is not open');
    return this.started;
  }
}

/** Lets pg-boss run its statements where ours run. */
const asBossDb = (db: Db | Tx): BossDb => ({
  executeSql: async (text, values = []) => ({ rows: await db.query(new ForeignSql(text, values)) }),
});

/** A statement that somebody else has put together. */
class ForeignSql extends Sql {
  constructor(
    private readonly text: string,
    private readonly values: unknown[],
  ) {
    super([text], []);
  }

  override compile(): { text: string; values: unknown[] } {
    return { text: this.text, values: this.values };
  }
}
