import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { newId } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { DomainError, invalidState } from '../../platform/errors/domain-error.js';
import { ConversationsService, type Membership } from '../conversations/conversations.service.js';
import { UsersService } from '../users/users.service.js';
import type { SendFields, SendMessage } from './dto/send-message.dto.js';
import type { Draft } from './message-batch.rules.js';
import { MessageViews } from './message-views.service.js';
import { messageDeleted, noSuchReply, noSuchThread, slowMode, threadLocked } from './messages.errors.js';
import { checkLimits } from './messages.rules.js';
import { findBySeq, findRow, type FullMessageRow, lastSendAgeMs } from './messages.repository.js';
import { ModerationHook } from './moderation-hook.service.js';
import { findThread } from './threads.repository.js';

/** Turns the fields of a send into a message that may be stored: rights, references, files, the operator's word. */
@Injectable()
export class DraftService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly users: UsersService,
    private readonly views: MessageViews,
    private readonly moderation: ModerationHook,
    private readonly config: Config,
  ) {}

  /**
   * The draft of a message that refers to nothing, without asking anything: the statement that stores it decides whether
   * the sender may write. Undefined for all others. Most messages are of this kind, and cost one statement.
   */
  plain(actor: Actor, input: SendMessage, payloadHash: string): Draft | undefined {
    const refers =
      input.mentionAll || input.mentions.length > 0 || input.attachmentIds.length > 0 || input.forwardOf !== undefined;
    if (refers || input.replyToSeq !== undefined || input.threadId !== undefined) return undefined;
    // More UTF-16 units than characters are allowed may still be few enough characters; the long way counts.
    if (this.config.MODERATION_HOOK_URL || (input.body?.length ?? 0) > this.config.MESSAGE_MAX_CHARS) return undefined;
    return {
      conversationId: input.c,
      id: newId(),
      kind: input.kind,
      senderId: actor.userId,
      clientId: input.clientId,
      payloadHash,
      body: input.body ?? null,
      meta: input.meta ?? null,
      replyToSeq: null,
      threadId: null,
      mentions: [],
      mentionAll: false,
      forwardedFrom: null,
      silent: input.silent,
      attachmentIds: [],
      attachments: [],
      ownsAttachments: true,
      markRead: input.markRead,
      unasked: true,
      pauseMs: 0,
    };
  }

  /** @throws role_insufficient, blocked, rate_limited (slow mode), not_found, message_deleted, invalid_state, message_rejected */
  async prepare(actor: Actor, member: Membership, input: SendFields, payloadHash: string): Promise<Draft> {
    checkLimits(input, this.config);
    const pauseMs = await this.assertMayPost(actor, member);
    if (input.mentionAll) this.conversations.assertMayMentionAll(member);
    if (input.replyToSeq !== undefined) await this.checkReply(member, input.replyToSeq);
    if (input.threadId !== undefined) await this.checkThread(member, input.threadId);
    const source = input.forwardOf && (await this.findSource(actor, input.forwardOf));
    const attachmentIds = source ? (source.attachmentIds ?? []) : input.attachmentIds;
    const draft: Draft = {
      conversationId: member.conversationId,
      id: newId(),
      kind: source?.kind ?? input.kind,
      senderId: actor.userId,
      clientId: input.clientId,
      payloadHash,
      body: source ? source.body : (input.body ?? null),
      meta: source ? source.meta : (input.meta ?? null),
      replyToSeq: input.replyToSeq ?? null,
      threadId: input.threadId ?? null,
      mentions: await this.membersAmong(member.conversationId, input.mentions),
      mentionAll: input.mentionAll,
      forwardedFrom: source
        ? { messageId: source.id, senderId: source.senderId, createdAt: source.createdAt.toISOString() }
        : null,
      silent: input.silent,
      attachmentIds,
      attachments: await this.views.files(attachmentIds, this.database),
      ownsAttachments: !source,
      markRead: input.markRead,
      unasked: false,
      pauseMs,
    };
    return { ...draft, body: await this.moderation.review(draft) };
  }

  /** What can be said of a send before its time has come. @throws role_insufficient, blocked */
  async assertMaySchedule(actor: Actor, member: Membership, { mentionAll }: { mentionAll: boolean }): Promise<void> {
    await this.assertMayWrite(actor, member);
    if (mentionAll) this.conversations.assertMayMentionAll(member);
  }

  /**
   * Answers the pause of slow mode in ms, 0 without it. Storing asks again: another send may be under way.
   * @throws role_insufficient, blocked, rate_limited (slow mode)
   */
  private async assertMayPost(actor: Actor, member: Membership): Promise<number> {
    await this.assertMayWrite(actor, member);
    const pauseMs = member.settings.slowModeSec * 1000;
    if (pauseMs === 0 || this.conversations.mayModerate(member)) return 0;
    const age = await lastSendAgeMs(this.database, member.conversationId, actor.userId);
    if (age !== null && age < pauseMs) throw slowMode(pauseMs - age);
    return pauseMs;
  }

  /** @throws role_insufficient, blocked */
  async assertMayWrite(actor: Actor, member: Membership): Promise<void> {
    this.conversations.assertMayPost(member);
    if (member.peerId !== null && (await this.users.areBlocked(actor.userId, member.peerId)))
      throw new DomainError('blocked');
  }

  /** Mentions of others than active members are dropped; the stored list is the effective one. */
  async membersAmong(conversationId: string, userIds: readonly string[]): Promise<string[]> {
    if (userIds.length === 0) return [];
    const active = await this.conversations.activeAmong(conversationId, userIds);
    return userIds.filter((id) => active.has(id));
  }

  private async checkReply(member: Membership, seq: number): Promise<void> {
    const target = seq >= member.visibleFromSeq ? await findRow(this.database, member.conversationId, seq) : undefined;
    if (!target) throw noSuchReply();
    if (target.deletedAt) throw messageDeleted();
  }

  private async checkThread(member: Membership, threadId: string): Promise<void> {
    const thread = await findThread(this.database, threadId);
    if (thread?.conversationId !== member.conversationId || thread.rootSeq < member.visibleFromSeq)
      throw noSuchThread();
    if (thread.lockedAt !== null) throw threadLocked();
  }

  private async findSource(
    actor: Actor,
    { conversationId, seq }: { conversationId: string; seq: number },
  ): Promise<FullMessageRow & { kind: 'text' | 'custom' }> {
    const member = await this.conversations.requireMember(actor, conversationId);
    const source = seq >= member.visibleFromSeq ? await findBySeq(this.database, conversationId, seq) : undefined;
    if (!source) throw new DomainError('not_found', { detail: 'The message to forward does not exist' });
    if (source.deletedAt) throw messageDeleted();
    if (source.kind === 'system' || source.kind === 'call')
      throw invalidState('Only messages of people can be forwarded');
    return { ...source, kind: source.kind };
  }
}
