import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { sqlStateOf } from '../../platform/database/database-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { metrics } from '../../platform/logging/metrics.js';
import { type MessageView, noContext, toMessageView } from './dto/message.view.js';
import { toThreadView } from './dto/thread.view.js';
import { type Appended, appendMessages } from './message-append.repository.js';
import type { Draft } from './message-batch.rules.js';
import { overloadedConversation } from './messages.errors.js';
import { MessageCreated, ThreadChanged } from './messages.events.js';

interface Waiting {
  draft: Draft;
  resolve: (view: MessageView) => void;
  reject: (error: unknown) => void;
}

const MAX_WAITING = 5000;
/** One message is at fault and the others are not: a repeated clientId, a sender without the right, an unusable file. */
const VIOLATIONS = new Set(['23505', '23503', 'PA403', 'PA405', 'PA422']);

/**
 * Turns concurrent sends to one conversation into statements of many rows. Per conversation at most one flush is in
 * flight; what arrives meanwhile is the next one, so nothing waits while nothing is in flight, and the head's row lock
 * is taken once for many messages.
 */
@Injectable()
export class MessageBatchService {
  /** Waiting drafts of the conversations that have a flush in flight. */
  private readonly queues = new Map<string, Waiting[]>();

  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly config: Config,
  ) {}

  /** Stores a message and tells the room. Rejects with the database's own error; nothing is stored then. */
  append(draft: Draft): Promise<MessageView> {
    return new Promise((resolve, reject) => {
      const waiting = { draft, resolve, reject };
      const queue = this.queues.get(draft.conversationId);
      if (!queue) void this.drain(draft.conversationId, [waiting]);
      else if (queue.length < MAX_WAITING) queue.push(waiting);
      else reject(overloadedConversation());
    });
  }

  /** Never rejects. */
  private async drain(conversationId: string, queue: Waiting[]): Promise<void> {
    this.queues.set(conversationId, queue);
    while (queue.length > 0) await this.flush(conversationId, queue.splice(0, this.config.MESSAGE_BATCH_MAX));
    this.queues.delete(conversationId);
  }

  private async flush(conversationId: string, batch: Waiting[]): Promise<void> {
    let appended: Appended;
    try {
      appended = await appendMessages(
        this.database,
        conversationId,
        batch.map(({ draft }) => draft),
      );
    } catch (error) {
      if (batch.length > 1 && VIOLATIONS.has(sqlStateOf(error) ?? '')) {
        for (const one of batch) await this.flush(conversationId, [one]);
      } else for (const { reject } of batch) reject(error);
      return;
    }
    this.answer(batch, appended);
  }

  /** In the order of the revs and without a pause in between, so that the room never has to read what it was told. */
  private answer(batch: Waiting[], { rows, threads }: Appended): void {
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
