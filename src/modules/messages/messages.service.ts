import { Injectable } from '@nestjs/common';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { monotonicMs } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { constraintOf, detailOf, sqlStateOf } from '../../platform/database/database-error.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import { Log } from '../../platform/logging/log.js';
import { metrics } from '../../platform/logging/metrics.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { DraftService } from './draft.service.js';
import type { MessageBrief, MessageView } from './dto/message.view.js';
import type { InvariantCheck } from './dto/verification.view.js';
import type { SendMessage } from './dto/send-message.dto.js';
import type { Draft } from './message-batch.rules.js';
import { MessageBatchService } from './message-batch.service.js';
import { type Changed, MessageChangeService } from './message-change.service.js';
import { MessageEditService } from './message-edit.service.js';
import { verifyMessages } from './message-verify.js';
import { MessageViews } from './message-views.service.js';
import { idempotencyMismatch, mediaUnusable, slowMode } from './messages.errors.js';
import { MessageUpdated } from './messages.events.js';
import { ageMessages, findByClientId, findById, findRow, listBriefs, listShowing } from './messages.repository.js';
import { payloadHash } from './messages.rules.js';
import { listFollowers } from './threads.repository.js';

export interface SendResult {
  message: MessageView;
  /** True when this clientId was stored before; `message` is then the stored one in its present state. */
  deduplicated: boolean;
}

const REFUSED = new Set(['23505', 'PA403', 'PA404', 'PA405']);
const CLIENT_ID_KEY = 'messages_conversation_id_sender_id_client_id_key';

@Injectable()
export class MessagesService {
  /** Sends under way in this process, by conversation, sender and clientId; they settle and never reject. */
  private readonly underWay = new Map<string, Promise<void>>();

  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly drafts: DraftService,
    private readonly batch: MessageBatchService,
    private readonly views: MessageViews,
    private readonly edits: MessageEditService,
    private readonly changes: MessageChangeService,
    private readonly log: Log,
  ) {}

  /**
   * Sends one message. The same clientId returns the stored result, for ever.
   * @throws not_found to strangers, idempotency_mismatch, and what `DraftService.prepare` refuses
   */
  async send(actor: Actor, input: SendMessage): Promise<SendResult> {
    const hash = payloadHash(input);
    const key = `${input.c} ${actor.userId} ${input.clientId}`;
    const earlier = this.underWay.get(key);
    if (earlier) {
      await earlier;
      const stored = await this.stored(actor, input, hash);
      return stored ?? this.send(actor, input);
    }
    const startedAt = monotonicMs();
    const attempt = this.attempt(actor, input, hash);
    const settled = attempt.then(
      () => metrics.messageAckSeconds.observe((monotonicMs() - startedAt) / 1000),
      () => undefined,
    );
    this.underWay.set(key, settled);
    void settled.then(() => this.underWay.delete(key));
    return attempt;
  }

  /** A message in its present state, for modules that decide themselves who may see it. */
  async find(messageId: string): Promise<MessageView | undefined> {
    const row = await findById(this.database, messageId);
    return row && this.views.ofOne(row, this.database);
  }

  /** Those of the messages that there are, by conversation and seq, for modules that decide whom to tell. */
  briefs(messageIds: readonly string[]): Promise<MessageBrief[]> {
    return listBriefs(this.database, messageIds);
  }

  /** Who sent the message at this place; null when nobody did. */
  async senderAt(conversationId: string, seq: number): Promise<string | null> {
    return (await findRow(this.database, conversationId, seq))?.senderId ?? null;
  }

  /** Makes messages look as if they were sent so many seconds ago. For a demo's history: nobody is told, and no rev is drawn. */
  async age(conversationId: string, ages: ReadonlyMap<number, number>): Promise<void> {
    await ageMessages(this.database, conversationId, [...ages.keys()], [...ages.values()]);
  }

  /** Users who follow a thread. */
  followersOf(threadId: string): Promise<string[]> {
    return listFollowers(this.database, threadId);
  }

  /** Deletes a message anywhere; `record` writes in the same transaction who did. @throws forbidden, not_found, invalid_state */
  async moderate(
    actor: Actor,
    conversationId: string,
    seq: number,
    record: (message: { id: string; senderId: string | null }, tx: Tx) => Promise<void>,
  ): Promise<Changed> {
    requirePermission(actor, 'messages.moderate');
    return this.edits.remove(actor.system === null ? actor.userId : null, conversationId, seq, record);
  }

  /** A file has another state: every live message that shows it gets a new rev. */
  async fileChanged(mediaId: string): Promise<void> {
    for (const { conversationId: c, seq } of await listShowing(this.database, mediaId)) {
      await this.changes.apply(null, { c, seq, visibleFromSeq: 1 }, (row) =>
        row.deletedAt ? undefined : { write: async () => undefined, event: (changed) => new MessageUpdated(changed) },
      );
    }
  }

  private async attempt(actor: Actor, input: SendMessage, hash: string): Promise<SendResult> {
    const plain = this.drafts.plain(actor, input, hash);
    return (plain && (await this.attemptPlain(actor, input, plain))) ?? this.attemptAsked(actor, input, hash);
  }

  /** One statement decides and stores. Undefined when it was refused, which takes the long way to explain. */
  private async attemptPlain(actor: Actor, input: SendMessage, draft: Draft): Promise<SendResult | undefined> {
    try {
      return { message: await this.batch.append(draft), deduplicated: false };
    } catch (error) {
      if (!REFUSED.has(sqlStateOf(error) ?? '')) throw error;
      return this.stored(actor, input, draft.payloadHash);
    }
  }

  private async attemptAsked(actor: Actor, input: SendMessage, hash: string): Promise<SendResult> {
    const member = await this.conversations.requireMember(actor, input.c);
    try {
      const draft = await this.drafts.prepare(actor, member, input, hash);
      const message = await this.batch.append(draft);
      await this.tellChangedFiles(message);
      return { message, deduplicated: false };
    } catch (error) {
      const refusal = asRefusal(error);
      // A stored clientId wins over any refusal of an active member, also over one that came up since it was stored.
      const stored = refusal && (await this.stored(actor, input, hash));
      if (stored) return stored;
      throw refusal ?? error;
    }
  }

  /**
   * Files are read before the message is stored. What became of one in between was told to those who showed it then, and
   * this message was none of them yet.
   */
  private async tellChangedFiles({ attachments }: MessageView): Promise<void> {
    const unsettled = attachments.filter(({ state }) => state !== 'ready');
    if (unsettled.length === 0) return;
    try {
      const now = await this.views.files(
        unsettled.map(({ mediaId }) => mediaId),
        this.database,
      );
      for (const { mediaId, state } of unsettled)
        if (now.some((file) => file.mediaId === mediaId && file.state !== state)) await this.fileChanged(mediaId);
    } catch (error) {
      // The message is stored, and whoever reads it anew sees its files as they are.
      this.log.warn('message.files_untold', { err: error });
    }
  }

  /** Whether the tables agree with each other, in at most `sample` conversations; one snapshot, nothing is written. */
  verify(sample?: number): Promise<InvariantCheck[]> {
    return this.database.snapshot((db) => verifyMessages(db, this.conversations, sample));
  }

  /** The result of an earlier send with this clientId. @throws not_found, idempotency_mismatch */
  private async stored(actor: Actor, input: SendMessage, hash: string): Promise<SendResult | undefined> {
    await this.conversations.requireMember(actor, input.c);
    const row = await findByClientId(this.database, input.c, actor.userId, input.clientId);
    if (!row) return undefined;
    if (row.payloadHash !== hash) throw idempotencyMismatch();
    metrics.messagesDuplicate.inc();
    return { message: await this.views.ofOne(row, this.database), deduplicated: true };
  }
}

/** What a failed attempt means to the sender; undefined when it may succeed unchanged (the database is away or busy). */
function asRefusal(error: unknown): DomainError | undefined {
  if (error instanceof DomainError) return error.status < 500 ? error : undefined;
  switch (sqlStateOf(error)) {
    case '23505':
      return constraintOf(error) === CLIENT_ID_KEY ? idempotencyMismatch() : undefined;
    case 'PA422':
      return mediaUnusable();
    case 'PA429':
      return slowMode(Number(detailOf(error)));
    case 'PA403':
    case 'PA404':
      return new DomainError('not_found');
    default:
      return undefined;
  }
}
