import { loadConfig } from '../../../src/platform/config/config.js';
import { DatabaseService } from '../../../src/platform/database/database.service.js';
import { BackgroundWork } from '../../../src/platform/lifecycle/background-work.js';
import { Breakers } from '../../../src/platform/lifecycle/breakers.js';
import { Log } from '../../../src/platform/logging/log.js';
import { createQueue } from '../../../src/platform/queue/create-queue.js';
import { DeadLetters } from '../../../src/platform/queue/dead-letters.js';
import type { DelayedWork, DueWork, Worker } from '../../../src/platform/queue/delayed-work.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { TestSqs } from '../../support/sqs.js';

export const drivers = ['outbox', 'pgboss', 'sqs'] as const;
export type Driver = (typeof drivers)[number];

/** Where queues of a test file live: a database behind an application that works on nothing itself, and an SQS. */
export class QueueWorld {
  private constructor(
    readonly app: TestApp,
    readonly sqs: TestSqs,
  ) {}

  static async start(environment: Record<string, string> = {}): Promise<QueueWorld> {
    const [app, sqs] = await Promise.all([createTestApp({ ROLE: 'api', ...environment }), TestSqs.start()]);
    return new QueueWorld(app, sqs);
  }

  get database(): DatabaseService {
    return this.app.app.nest.get(DatabaseService);
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.sqs.stop();
  }

  /** What was taken from a queue and is not done with is anybody's again, as if the worker had died a while ago. */
  async abandon(driver: Driver, queue: string): Promise<void> {
    if (driver === 'sqs') return this.sqs.release(queue);
    const { databaseUrl } = this.app;
    if (driver === 'outbox')
      return void (await query('UPDATE outbox SET next_at = now() WHERE topic = $1', [`work.${queue}`], databaseUrl));
    await query(
      `UPDATE pgboss.job SET started_on = started_on - interval '1 hour' WHERE name = $1 AND state = 'active'`,
      [queue],
      databaseUrl,
    );
    const { PgBoss } = await import('pg-boss');
    const boss = new PgBoss({
      connectionString: databaseUrl,
      supervise: false,
      schedule: false,
      monitorIntervalSeconds: 1,
    });
    await boss.start();
    await boss.supervise(queue);
    await boss.stop({ graceful: false });
  }

  /** One process's view of the queue, with these workers. */
  async open(driver: Driver, workers: readonly Worker[], sqs = this.sqs): Promise<TestQueue> {
    const config = await loadConfig({
      NODE_ENV: 'test',
      DATABASE_URL: this.app.databaseUrl,
      QUEUE_DRIVER: driver,
      ...sqs.environment,
    });
    const log = this.app.app.nest.get(Log);
    const background = new BackgroundWork(config, log);
    const context = { url: this.app.databaseUrl };
    const work = await createQueue(config, context, this.database, background, new Breakers(log), log);
    for (const worker of workers) work.consume(worker);
    await work.open();
    background.start();
    return {
      work,
      letters: new DeadLetters(this.database, work),
      stop: async () => {
        await background.stop();
        await work.close();
      },
    };
  }
}

export interface TestQueue {
  work: DelayedWork;
  letters: DeadLetters;
  stop(): Promise<void>;
}

/** A worker that notes what it gets. */
export class Recorder implements Worker {
  readonly got: DueWork[] = [];
  private readonly looks = new Set<() => void>();

  constructor(
    readonly queue: string,
    private readonly act: (work: DueWork) => Promise<void> | void = () => undefined,
    readonly concurrency = 4,
  ) {}

  readonly handle = async (work: DueWork): Promise<void> => {
    this.got.push(work);
    for (const look of this.looks) look();
    await this.act(work);
  };

  get keys(): string[] {
    return this.got.map(({ key }) => key);
  }

  /** What came so far, as soon as it satisfies the test. */
  until(test: (got: readonly DueWork[]) => boolean): Promise<readonly DueWork[]> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.looks.delete(look);
        reject(new Error(`within 30 s there came only ${JSON.stringify(this.got)}`));
      }, 30_000);
      const look = (): void => {
        if (!test(this.got)) return;
        clearTimeout(limit);
        this.looks.delete(look);
        resolve(this.got);
      };
      this.looks.add(look);
      look();
    });
  }
}

/** Looks until it holds. */
export async function eventually<T>(read: () => Promise<T>, test: (value: T) => boolean): Promise<T> {
  for (let i = 0; i < 600; i++) {
    const value = await read();
    if (test(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`still ${JSON.stringify(await read())}`);
}
