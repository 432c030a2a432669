import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { newId } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { constraintOf, sqlStateOf } from '../../platform/database/database-error.js';
import type { Tx } from '../../platform/database/db.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { decodeCursor, encodeCursor, type Page, toPage } from '../../platform/http/cursor.js';
import { ConversationsService, type Membership } from '../conversations/conversations.service.js';
import { findCall, findRunning, insertCall, listCalls } from './calls.repository.js';
import { MAX_PARTICIPANTS } from './calls.rules.js';
import { DraftService } from './draft.service.js';
import type { CallListQuery, StartCall } from './dto/call.dto.js';
import { type CallRow, type CallView, toCallView } from './dto/call.view.js';
import { MessageViews } from './message-views.service.js';
import { idempotencyMismatch, limitExceeded, notFound } from './messages.errors.js';
import { CallHint, MessageCreated } from './messages.events.js';
import { findByClientId, findBySeq } from './messages.repository.js';

const LIST = 'calls';
const cursorShape = z.tuple([z.uuid()]);
const CLIENT_ID_KEY = 'messages_conversation_id_sender_id_client_id_key';
const hashOf = (input: StartCall): string => createHash('sha256').update(`call ${input.media}`).digest('base64url');

/** Calls begin as messages of kind `call`; media flows elsewhere, Parley keeps the record and relays the signals. */
@Injectable()
export class CallsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly drafts: DraftService,
    private readonly views: MessageViews,
    private readonly events: EventsService,
  ) {}

  /** `created` is false for a clientId that is stored. @throws not_found, role_insufficient, blocked, limit_exceeded, invalid_state (one is running) */
  async start(actor: Actor, input: StartCall): Promise<{ call: CallView; created: boolean }> {
    const member = await this.conversations.requireMember(actor, input.c);
    const stored = await this.stored(actor, input);
    if (stored) return { call: stored, created: false };
    await this.drafts.assertMayWrite(actor, member);
    const memberIds = await this.conversations.activeMemberIds(input.c);
    if (memberIds.length > MAX_PARTICIPANTS) throw limitExceeded('participants', MAX_PARTICIPANTS);
    try {
      return { call: await this.database.tx((tx) => this.store(actor, input, memberIds, tx)), created: true };
    } catch (error) {
      const raced =
        sqlStateOf(error) === '23505' && constraintOf(error) === CLIENT_ID_KEY
          ? await this.stored(actor, input)
          : undefined;
      if (!raced) throw error;
      return { call: raced, created: false };
    }
  }

  /** A call of a conversation the actor is in, visible from its message on. @throws not_found */
  async require(actor: Actor, id: string): Promise<{ call: CallRow; member: Membership }> {
    const call = await findCall(this.database, id);
    if (!call) throw notFound();
    const member = await this.conversations.requireMember(actor, call.conversationId);
    if (call.seq < member.visibleFromSeq) throw notFound();
    return { call, member };
  }

  async get(actor: Actor, id: string): Promise<CallView> {
    return toCallView((await this.require(actor, id)).call);
  }

  /** Calls the actor was called to, the latest first. */
  async list(actor: Actor, { conversationId, cursor, limit }: CallListQuery): Promise<Page<CallView>> {
    const before = cursor === undefined ? null : decodeCursor(LIST, cursor, cursorShape)[0];
    if (conversationId !== undefined) await this.conversations.requireMember(actor, conversationId);
    const ids =
      conversationId === undefined ? await this.conversations.conversationIdsOf(actor.userId) : [conversationId];
    const rows = await listCalls(this.database, actor.userId, ids, before, limit + 1);
    return toPage(rows, limit, toCallView, (row) => encodeCursor(LIST, [row.id]));
  }

  private async store(actor: Actor, input: StartCall, memberIds: readonly string[], tx: Tx): Promise<CallView> {
    const head = await this.conversations.advance(tx, {
      conversationId: input.c,
      seqs: 1,
      ords: 1,
      revs: 1,
      marks: [{ actorId: actor.userId, seq: 1, ord: 1, force: true }],
    });
    const running = await findRunning(tx, input.c);
    // A repeat whose first attempt has just been stored is told so by its clientId, below.
    if (running !== undefined && !(await findByClientId(tx, input.c, actor.userId, input.clientId))) {
      throw new DomainError('invalid_state', { callId: running, detail: 'A call is running' });
    }
    const id = newId();
    const stored = await insertCall(tx, {
      id,
      messageId: newId(),
      conversationId: input.c,
      head,
      media: input.media,
      initiatorId: actor.userId,
      deviceId: actor.deviceId,
      clientId: input.clientId,
      payloadHash: hashOf(input),
      calledIds: memberIds.filter((userId) => userId !== actor.userId),
    });
    const row = await findBySeq(tx, input.c, stored.seq);
    if (!row?.call) throw new Error('the call just stored is missing');
    await this.events.publish(tx, new MessageCreated(row), await this.views.ofOne(row, tx));
    const hint = new CallHint(row.call, 'ring', actor.userId, actor.deviceId);
    tx.afterCommit(() => this.events.hint(hint));
    return toCallView(row.call);
  }

  /** @throws idempotency_mismatch */
  private async stored(actor: Actor, input: StartCall): Promise<CallView | undefined> {
    const row = await findByClientId(this.database, input.c, actor.userId, input.clientId);
    if (!row) return undefined;
    if (!row.call || row.payloadHash !== hashOf(input)) throw idempotencyMismatch();
    return toCallView(row.call);
  }
}
