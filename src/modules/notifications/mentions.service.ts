import { Injectable } from '@nestjs/common';
import { ConversationsService } from '../conversations/conversations.service.js';
import { UsersService } from '../users/users.service.js';
import type { Told } from './audience.service.js';
import type { NotificationKind } from './notifications.rules.js';
import { InboxService } from './inbox.service.js';

/** Puts a message on the lists of those it concerns in particular, once each, under its strongest claim. */
@Injectable()
export class MentionsService {
  constructor(
    private readonly users: UsersService,
    private readonly conversations: ConversationsService,
    private readonly inbox: InboxService,
  ) {}

  async list({ message, meant, followers }: Told): Promise<void> {
    const { id: messageId, conversationId, senderId, seq, threadId } = message;
    if (senderId === null) return;
    const mentioned = message.mentionAll ? await this.conversations.activeMemberIds(conversationId) : message.mentions;
    const claims: [NotificationKind, Iterable<string>][] = [
      ['mention', mentioned],
      ['reply', meant],
      ['thread_reply', followers ?? []],
    ];
    const taken = new Set([senderId]);
    for (const [kind, ids] of claims) {
      const candidates = [...ids].filter((id) => !taken.has(id));
      for (const id of candidates) taken.add(id);
      if (candidates.length === 0) continue;
      const [members, blocked] = await Promise.all([
        this.conversations.recipientsAt(candidates.map((userId) => ({ conversationId, userId }))),
        this.users.blockedAmong(senderId, candidates),
      ]);
      const reached = members
        .filter(({ userId, visibleFromSeq }) => visibleFromSeq <= seq && !blocked.has(userId))
        .map(({ userId }) => userId);
      await this.inbox.add(reached, {
        kind,
        dedupeKey: `message:${messageId}`,
        actorId: senderId,
        conversationId,
        seq,
        data: { messageId, threadId },
      });
    }
  }
}
