import type { Message } from '@aws-sdk/client-sqs';
import type { Config } from '../config/config.js';
import { isOutage } from '../database/database-error.js';
import type { DatabaseService } from '../database/database.service.js';
import type { Db } from '../database/db.js';
import type { BackgroundWork } from '../lifecycle/background-work.js';
import type { Breaker } from '../lifecycle/breaker.js';
import type { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { handled, MAX_ATTEMPTS, pauseAfter, reasonOf } from './attempts.js';
import { insertLetter } from './dead-letters.repository.js';
import { type Backlog, DelayedWork, RetryLater, type Worker, type WorkItem } from './delayed-work.js';
import { Gate } from './gate.js';
import { insertWork, outboxBacklog, WORK_TOPIC } from './outbox.repository.js';
import { afterCommit } from './polled-work.js';
import { type SqsBody, sqsBody, SqsQueue } from './sqs-client.js';
import { SqsForwarder } from './sqs-forwarder.js';
import type { receive } from './sqs-receiver.js';

/** Receive calls of one process that are under way together. */
const RECEIVERS = 2;
/** Between two questions whether the database is back. */
const DATABASE_PAUSE_MS = 1000;

type Receiving = ReturnType<typeof receive>;

/**
 * Work over one Amazon SQS queue. It is written to the outbox with its cause, forwarded when due, and received by any
 * process. What fails too often ends in the dead-letter list: given up here with the reason, or, when no worker ever got
 * as far, moved to the dead-letter queue by its redrive policy and fetched from there.
 */
export class SqsWork extends DelayedWork {
  readonly driver = 'sqs';
  private readonly workers = new Map<string, { worker: Worker; gate: Gate }>();
  private queue: SqsQueue | undefined;
  private forwarder: SqsForwarder | undefined;
  private receiving: Receiving[] = [];
  private maxAttempts = MAX_ATTEMPTS;
  private stopping = false;

  constructor(
    private readonly url: string,
    private readonly config: Config,
    private readonly database: DatabaseService,
    private readonly background: BackgroundWork,
    private readonly breaker: Breaker,
    private readonly log: Log,
  ) {
    super();
  }

  override async open(): Promise<void> {
    const queue = await SqsQueue.open(this.url, this.config);
    this.queue = queue;
    this.forwarder = new SqsForwarder(queue, this.database, this.breaker, this.log);
    this.background.registerTask({
      name: 'work.forward',
      start: () => this.forwarder?.start(),
      stop: () => this.forwarder?.stop(),
    });
    this.background.registerTask({
      name: 'work.receive',
      start: () => this.start(queue),
      stop: () => this.stop(),
    });
  }

  override async close(): Promise<void> {
    this.queue?.close();
  }

  async add(items: readonly WorkItem[], db: Db = this.database): Promise<void> {
    if (items.length === 0) return;
    await insertWork(db, items);
    const soonest = Math.min(...items.map(({ delayMs = 0 }) => delayMs));
    afterCommit(db, () => this.forwarder?.hurryIn(soonest));
  }

  consume(worker: Worker): void {
    this.workers.set(worker.queue, { worker, gate: new Gate(worker.concurrency) });
  }

  async backlog(): Promise<Backlog[]> {
    const [rows, depth] = await Promise.all([outboxBacklog(this.database), this.queue?.depth()]);
    return depth ? [...rows, { queue: this.driver, ...depth, oldestSeconds: 0 }] : rows;
  }

  /** Rejects while SQS is away; then it is tried again. */
  private async start(queue: SqsQueue): Promise<void> {
    const [{ receive }, redrive] = await Promise.all([import('./sqs-receiver.js'), queue.redrive()]);
    const ready = (signal: AbortSignal) => this.databaseIsBack(signal);
    if (redrive) {
      this.maxAttempts = Math.min(MAX_ATTEMPTS, redrive.maxReceives);
      const handle = (message: Message) => this.bury(message, redrive.maxReceives);
      this.receiving.push(receive(queue, { url: redrive.url, handle, ready }, this.log));
    } else {
      this.log.warn('queue.no_redrive_policy', { driver: this.driver });
    }
    for (let i = 0; i < RECEIVERS; i++) {
      const handle = (message: Message) => this.attempt(message);
      this.receiving.push(receive(queue, { url: this.url, handle, ready }, this.log));
    }
  }

  private async stop(): Promise<void> {
    this.stopping = true;
    for (const { gate } of this.workers.values()) gate.close();
    await Promise.all(this.receiving.map((one) => one.stop()));
  }

  private async attempt(message: Message): Promise<void> {
    const attempt = Number(message.Attributes?.ApproximateReceiveCount ?? 1);
    const body = parse(message);
    try {
      const known = body && this.workers.get(body.queue);
      if (!known) throw new Error(body ? `nobody works on ${body.queue}` : 'not a message of ours');
      const { id, key, payload } = body;
      const due = { id, key, payload, attempt, last: attempt >= this.maxAttempts };
      await known.gate.run(() => handled(known.worker, due));
    } catch (error) {
      await this.failed(message, body, attempt, error);
    }
  }

  private async failed(message: Message, body: SqsBody | undefined, attempt: number, error: unknown): Promise<void> {
    this.log.warn('work.failed', { queue: body?.queue ?? this.driver, attempts: attempt, err: error });
    if (attempt < this.maxAttempts || isOutage(error) || this.stopping)
      throw new RetryLater(pauseAfter(error, attempt), 'failed');
    await this.enterLetter(message, body, attempt, reasonOf(error));
  }

  /** From the dead-letter queue into the list. */
  private bury(message: Message, receives: number): Promise<void> {
    return this.enterLetter(message, parse(message), receives, 'received too often without an outcome');
  }

  private async enterLetter(
    { MessageId }: Message,
    body: SqsBody | undefined,
    attempts: number,
    reason: string,
  ): Promise<void> {
    const queue = body?.queue ?? this.driver;
    // What is not ours is not kept: nobody knows what it says.
    const payload = body ? { key: body.key, payload: body.payload } : { messageId: MessageId };
    await insertLetter(this.database, { queue, topic: WORK_TOPIC + queue, payload, reason, attempts });
    metrics.deadLetters.inc({ queue });
  }

  /** Nothing is received while nothing could be done with it: each receive counts as a try. */
  private async databaseIsBack(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const back = await this.database.ping().then(
        () => true,
        () => false,
      );
      if (back) return;
      await new Promise((resolve) => setTimeout(resolve, DATABASE_PAUSE_MS));
    }
    signal.throwIfAborted();
  }
}

function parse({ Body = '' }: Message): SqsBody | undefined {
  try {
    return sqsBody.parse(JSON.parse(Body));
  } catch {
    return undefined;
  }
}
