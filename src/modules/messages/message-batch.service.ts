import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { isOutage, sqlStateOf } from '../../platform/database/database-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { metrics } from '../../platform/logging/metrics.js';
import { storedTrace } from '../../platform/logging/tracing.js';
import { type MessageView, noContext, toMessageView } from './dto/message.view.js';
import { toThreadView } from './dto/thread.view.js';
import { appendJointly } from './joint-append.repository.js';
import { type Appended, appendMessages } from './message-append.repository.js';
import { type Draft, isPlain } from './message-batch.rules.js';
import { overloadedConversation } from './messages.errors.js';
import { MessageCreated, ThreadChanged } from './messages.events.js';

interface Waiting {
  draft: Draft;
  resolve: (view: MessageView) => void;
  reject: (error: unknown) => void;
}

const MAX_WAITING = 5000;
/** Two, so that the database works on one while the other is prepared and answered; more make smaller statements. */
const JOINT_AT_ONCE = 2;
/** One message is at fault and the others are not: a repeated clientId, a sender without the right or too soon, an unusable file. */
const VIOLATIONS = new Set(['23505', '23503', 'PA403', 'PA405', 'PA422', 'PA429']);

/**
 * Turns concurrent sends into statements of many rows. Per conversation at most one flush is in flight; what arrives
 * meanwhile is its next one. Plain messages of all conversations that have no flush in flight go together in one
 * statement, which waits for no lock; a conversation it had to pass over, or one with more to do, gets a statement of its
 * own. Nothing waits while nothing is in flight.
 */
@Injectable()
export class MessageBatchService {
  /** Waiting drafts of the conversations that have any, or a flush in flight. */
  private readonly queues = new Map<string, Waiting[]>();
  /** Those of them without a flush in flight, in the order they came. */
  private readonly idle = new Set<string>();
  private joint = 0;
  private scheduled = false;

  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly config: Config,
  ) {}

  /** Stores a message and tells the room. Rejects with the database's own error; nothing is stored then. */
  append(draft: Draft): Promise<MessageView> {
    return new Promise((resolve, reject) => {
      const waiting = { draft: { ...draft, traceparent: storedTrace() }, resolve, reject };
      const queue = this.queues.get(draft.conversationId);
      if (!queue) {
        this.queues.set(draft.conversationId, [waiting]);
        this.idle.add(draft.conversationId);
        this.schedule();
      } else if (queue.length < MAX_WAITING) queue.push(waiting);
      else reject(overloadedConversation());
    });
  }

  /** After everything that arrives in the same breath. */
  private schedule(): void {
    if (this.scheduled || this.idle.size === 0 || this.joint >= JOINT_AT_ONCE) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.start();
    });
  }

  private start(): void {
    const together: Waiting[][] = [];
    let room = this.config.MESSAGE_BATCH_MAX;
    for (const id of this.idle) {
      if (room <= 0) break;
      const part = this.queues.get(id)?.splice(0, room) ?? [];
      this.idle.delete(id);
      if (part.every(({ draft }) => isPlain(draft))) {
        together.push(part);
        room -= part.length;
      } else void this.flush(part);
    }
    if (together.length > 0) void this.runJointly(together);
    this.schedule();
  }

  private async runJointly(parts: readonly Waiting[][]): Promise<void> {
    this.joint += 1;
    await this.flushJointly(parts);
    this.joint -= 1;
    this.schedule();
  }

  /** What could not be stored here goes on by itself and is not waited for. */
  private async flushJointly(parts: readonly Waiting[][]): Promise<void> {
    let stored: (Appended | undefined)[];
    try {
      stored = await appendJointly(this.database, parts.map(draftsOf));
    } catch (error) {
      const [first, ...others] = parts;
      if (isOutage(error)) for (const part of parts) this.fail(part, error);
      else if (first && others.length === 0) await this.refused(first, error);
      else {
        // One of them is at fault: halves find it in a few statements.
        const half = Math.ceil(parts.length / 2);
        await this.flushJointly(parts.slice(0, half));
        await this.flushJointly(parts.slice(half));
      }
      return;
    }
    parts.forEach((part, i) => {
      const appended = stored[i];
      if (!appended) void this.flush(part);
      else {
        this.answer(part, appended);
        this.release(part);
      }
    });
  }

  /** One conversation by itself. Never rejects. */
  private async flush(part: readonly Waiting[]): Promise<void> {
    try {
      this.answer(part, await appendMessages(this.database, conversationOf(part), draftsOf(part)));
      this.release(part);
    } catch (error) {
      await this.refused(part, error);
    }
  }

  /** One of many may be at fault: then they run one by one. */
  private async refused(part: readonly Waiting[], error: unknown): Promise<void> {
    if (part.length === 1 || !VIOLATIONS.has(sqlStateOf(error) ?? '')) return this.fail(part, error);
    for (const one of part) {
      try {
        this.answer([one], await appendMessages(this.database, conversationOf(part), [one.draft]));
      } catch (fault) {
        one.reject(fault);
      }
    }
    this.release(part);
  }

  private fail(part: readonly Waiting[], error: unknown): void {
    for (const { reject } of part) reject(error);
    this.release(part);
  }

  /** The conversation has no flush in flight any more. */
  private release(part: readonly Waiting[]): void {
    const id = conversationOf(part);
    if (this.queues.get(id)?.length) this.idle.add(id);
    else this.queues.delete(id);
    this.schedule();
  }

  /** In the order of the revs and without a pause in between, so that the room never has to read what it was told. */
  private answer(batch: readonly Waiting[], { rows, threads }: Appended): void {
    metrics.messagesAccepted.inc(rows.length);
    rows.forEach((row, i) => {
      const one = batch[i];
      if (!one) return;
      const view = toMessageView(row, { ...noContext, attachments: one.draft.attachments });
      one.resolve(view);
      this.events.announce(new MessageCreated(row), view);
    });
    for (const thread of threads) this.events.announce(new ThreadChanged(thread), toThreadView(thread));
  }
}

const draftsOf = (part: readonly Waiting[]): Draft[] => part.map(({ draft }) => draft);
const conversationOf = ([first]: readonly Waiting[]): string => first?.draft.conversationId ?? '';
