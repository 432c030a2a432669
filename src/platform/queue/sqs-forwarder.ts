import { isOutage } from '../database/database-error.js';
import type { DatabaseService } from '../database/database.service.js';
import type { Breaker } from '../lifecycle/breaker.js';
import type { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { buryRow } from './dead-letters.repository.js';
import { claimWork, finishWork, postponeWork, WORK_TOPIC, type WorkRow } from './outbox.repository.js';
import { PollLoop } from './poll-loop.js';
import type { SqsQueue } from './sqs-client.js';

/** What one SendMessageBatch takes. */
const BATCH = 10;
/** While the queue is away its work waits in the outbox and is offered again after this. */
const PAUSE_MS = 2000;

/**
 * Carries work from the outbox to SQS when it is due. So it exists if and only if its cause committed, no delay is too
 * long for SQS, and an outage of SQS costs nothing but time.
 */
export class SqsForwarder {
  private readonly loop = new PollLoop(() => this.pass());
  private down = false;

  constructor(
    private readonly queue: SqsQueue,
    private readonly database: DatabaseService,
    private readonly breaker: Breaker,
    private readonly log: Log,
  ) {}

  start(): void {
    this.loop.start();
  }

  stop(): Promise<void> {
    return this.loop.stop();
  }

  hurryIn(ms: number): void {
    this.loop.hurryIn(ms);
  }

  private async pass(): Promise<boolean> {
    try {
      const rows = await claimWork(this.database, null, BATCH);
      if (rows.length === 0) return false;
      return (await this.forward(rows)) && rows.length === BATCH;
    } catch (error) {
      if (!isOutage(error)) this.log.error('work.stalled', { queue: 'sqs', err: error });
      return false;
    }
  }

  /** False when the queue is away. A row that was sent and could not be deleted is sent again. */
  private async forward(rows: readonly WorkRow[]): Promise<boolean> {
    let failed: Awaited<ReturnType<SqsQueue['send']>>;
    try {
      failed = await this.breaker.run(() => this.queue.send(rows.map(bodyOf)));
      if (this.down) this.log.info('dependency.restored', { component: 'queue' });
      this.down = false;
    } catch (error) {
      if (!this.down) this.log.warn('dependency.degraded', { component: 'queue', err: error });
      this.down = true;
      await postponeWork(this.database, idsOf(rows), PAUSE_MS, false);
      this.loop.hurryIn(PAUSE_MS);
      return false;
    }
    const outcomes = Map.groupBy(rows, (row) => outcomeOf(failed.find(({ id }) => id === workId(row))));
    for (const row of outcomes.get('refused') ?? []) {
      const reason = failed.find(({ id }) => id === workId(row))?.reason ?? '';
      await buryRow(this.database, { rowId: row.id, queue: queueOf(row), reason });
      metrics.deadLetters.inc({ queue: queueOf(row) });
    }
    await postponeWork(this.database, idsOf(outcomes.get('failed') ?? []), PAUSE_MS, false);
    await finishWork(this.database, idsOf(outcomes.get('sent') ?? []));
    return true;
  }
}

const outcomeOf = (failure: { refused: boolean } | undefined): 'sent' | 'refused' | 'failed' =>
  failure === undefined ? 'sent' : failure.refused ? 'refused' : 'failed';
const workId = ({ id }: WorkRow): string => `work-${id}`;
const queueOf = ({ topic }: WorkRow): string => topic.slice(WORK_TOPIC.length);
const idsOf = (rows: readonly WorkRow[]): number[] => rows.map(({ id }) => id);
const bodyOf = (row: WorkRow) => ({ id: workId(row), queue: queueOf(row), key: row.key, payload: row.payload });
