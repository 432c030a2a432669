import { Injectable } from '@nestjs/common';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import type { MediaView } from '../media/dto/media.view.js';
import { MediaService } from '../media/media.service.js';
import { MessagesService } from '../messages/messages.service.js';
import type { InvariantCheck } from '../messages/dto/verification.view.js';
import { AuditService } from './audit.service.js';

/** What moderators do to conversations, messages and files. What was written never reaches the audit log. */
@Injectable()
export class ModerationService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
    private readonly media: MediaService,
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

  /** Keeps a file from everybody. @throws forbidden, not_found */
  async quarantine(actor: Actor, id: string, reason: string, trace: RequestTrace): Promise<MediaView> {
    requirePermission(actor, 'media.moderate');
    return this.database.tx(async (tx) => {
      const file = await this.media.quarantine(actor, id, reason, tx);
      const deed = { action: 'media.quarantine', permission: 'media.moderate', targetType: 'media' } as const;
      await this.audit.record(actor, { ...deed, targetId: id, after: { ownerId: file.ownerId, reason } }, trace, tx);
      return file;
    });
  }

  /** Gives a quarantined file back. @throws forbidden, not_found, invalid_state */
  async release(actor: Actor, id: string, trace: RequestTrace): Promise<MediaView> {
    requirePermission(actor, 'media.moderate');
    return this.database.tx(async (tx) => {
      const file = await this.media.release(actor, id, tx);
      const deed = { action: 'media.release', permission: 'media.moderate', targetType: 'media' } as const;
      await this.audit.record(actor, { ...deed, targetId: id, after: { ownerId: file.ownerId } }, trace, tx);
      return file;
    });
  }

  /** Deletes a file wherever it is shown. @throws forbidden, not_found */
  async deleteMedia(actor: Actor, id: string, reason: string | null, trace: RequestTrace): Promise<void> {
    requirePermission(actor, 'media.moderate');
    await this.database.tx(async (tx) => {
      await this.media.remove(actor, id, reason, tx);
      const deed = { action: 'media.delete', permission: 'media.moderate', targetType: 'media' } as const;
      await this.audit.record(actor, { ...deed, targetId: id, after: { reason } }, trace, tx);
    });
  }

  /** Whether conversations and messages contradict themselves; reads one snapshot. @throws forbidden */
  async verify(actor: Actor, sample: number | undefined): Promise<{ ok: boolean; checks: InvariantCheck[] }> {
    requirePermission(actor, 'health.read');
    const checks = await this.messages.verify(sample);
    return { ok: checks.every(({ ok }) => ok), checks };
  }
}
