import { Injectable } from '@nestjs/common';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { MessagesService } from '../messages/messages.service.js';
import { AuditService } from './audit.service.js';

/** What moderators do to conversations and messages. What was written never reaches the audit log. */
@Injectable()
export class ModerationService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
    private readonly audit: AuditService,
  ) {}

  /** Ends it for everybody. @throws forbidden, not_found */
  async deleteConversation(actor: Actor, id: string, reason: string | null, trace: RequestTrace): Promise<void> {
    requirePermission(actor, 'conversations.moderate');
    const deed = { action: 'conversation.delete', permission: 'conversations.moderate' } as const;
    const about = { targetType: 'conversation', targetId: id, after: { reason } };
    await this.database.tx(async (tx) => {
      await this.conversations.deleteAsModerator(actor, id, tx);
      await this.audit.record(actor, { ...deed, ...about }, trace, tx);
    });
  }

  /** @throws forbidden, not_found, last_owner */
  async removeMember(
    actor: Actor,
    id: string,
    userId: string,
    reason: string | null,
    trace: RequestTrace,
  ): Promise<void> {
    requirePermission(actor, 'conversations.moderate');
    const deed = { action: 'member.remove', permission: 'conversations.moderate' } as const;
    const about = { targetType: 'conversation', targetId: id, after: { userId, reason } };
    await this.database.tx(async (tx) => {
      await this.conversations.removeAsModerator(actor, id, userId, tx);
      await this.audit.record(actor, { ...deed, ...about }, trace, tx);
    });
  }

  /** @throws forbidden, not_found */
  async deleteMessage(actor: Actor, id: string, seq: number, reason: string | null, trace: RequestTrace) {
    requirePermission(actor, 'messages.moderate');
    const deed = { action: 'message.delete', permission: 'messages.moderate' } as const;
    return this.messages.moderate(actor, id, seq, ({ id: messageId, senderId }, tx) => {
      const after = { conversationId: id, seq, senderId, reason };
      return this.audit.record(actor, { ...deed, targetType: 'message', targetId: messageId, after }, trace, tx);
    });
  }
}
