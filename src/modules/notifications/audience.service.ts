import { Injectable } from '@nestjs/common';
import { now } from '../../platform/clock/clock.js';
import { ConversationsService, type Recipient } from '../conversations/conversations.service.js';
import type { MessageView } from '../messages/dto/message.view.js';
import { MessagesService } from '../messages/messages.service.js';
import { UsersService } from '../users/users.service.js';
import type { DecisionReason } from './notifications.rules.js';
import { type MessageFacts, resolveLevel, suppression } from './notifications.rules.js';

/** A message with what is asked about it once, whoever is to be notified. */
export interface Told {
  message: MessageView;
  facts: MessageFacts;
  memberCount: number;
  /** Who is meant in particular: mentioned by name, replied to. */
  meant: ReadonlySet<string>;
  /** In a thread only those who follow it hear of replies. */
  followers: ReadonlySet<string> | undefined;
}

/** Gathers what decides, and asks the rules. */
@Injectable()
export class AudienceService {
  constructor(
    private readonly users: UsersService,
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
  ) {}

  /** Undefined when there is no such message. */
  async about(messageId: string): Promise<Told | undefined> {
    const message = await this.messages.find(messageId);
    if (!message) return undefined;
    const [memberCount, repliedTo, followers] = await Promise.all([
      this.conversations.memberCount(message.conversationId),
      this.senderAt(message.conversationId, message.replyToSeq),
      message.threadId === null ? undefined : this.messages.followersOf(message.threadId),
    ]);
    return {
      message,
      memberCount,
      meant: new Set([...message.mentions, ...(repliedTo === null ? [] : [repliedTo])]),
      followers: followers && new Set(followers),
      facts: {
        seq: message.seq,
        deleted: message.deletedAt !== null,
        quiet: message.kind === 'system' || message.silent,
        createdAt: new Date(message.createdAt),
      },
    };
  }

  /** Why each of these users is not to be notified; who is has no entry. */
  async suppressed(told: Told, recipients: readonly Recipient[]): Promise<Map<string, DecisionReason>> {
    const { message, facts, memberCount } = told;
    const ids = recipients.map(({ userId }) => userId);
    const [cards, preferences, blocked] = await Promise.all([
      this.users.findMany(ids),
      this.users.preferencesOf(ids),
      message.senderId === null ? new Set<string>() : this.users.blockedAmong(message.senderId, ids),
    ]);
    const people = new Map(cards.map((card) => [card.id, card]));
    const at = now();
    const reasons = new Map<string, DecisionReason>();
    for (const recipient of recipients) {
      const { userId } = recipient;
      const card = people.get(userId);
      const wishes = preferences.get(userId)?.notifications;
      if (!card || !wishes) continue;
      const mentioned = message.mentionAll || told.meant.has(userId);
      const unheard = told.followers !== undefined && !told.followers.has(userId) && !mentioned;
      const reason = suppression(
        facts,
        {
          blocked: blocked.has(userId),
          member: card.state === 'active' && recipient.visibleFromSeq <= message.seq,
          // Who sends has read: also where the own watermark was left alone on purpose.
          readSeq: userId === message.senderId ? message.seq : recipient.readSeq,
          foregroundSeq: recipient.foregroundSeq,
          mentioned,
          level: !wishes.push || unheard ? 'none' : resolveLevel(recipient.notifyLevel, wishes.level, memberCount),
          mutedUntil: recipient.mutedUntil,
          quietHours: wishes.quietHours,
          timeZone: card.timeZone,
        },
        at,
      );
      if (reason !== undefined) reasons.set(userId, reason);
    }
    return reasons;
  }

  /** The same for one user; undefined when they are to be notified. */
  async suppressedFor(told: Told, userId: string): Promise<DecisionReason | undefined> {
    const recipient = await this.recipient(told.message.conversationId, userId);
    return recipient ? (await this.suppressed(told, [recipient])).get(userId) : 'not_member';
  }

  private async recipient(conversationId: string, userId: string): Promise<Recipient | undefined> {
    return (await this.conversations.recipientsAmong(conversationId, [userId]))[0];
  }

  private async senderAt(conversationId: string, seq: number | null): Promise<string | null> {
    return seq === null ? null : this.messages.senderAt(conversationId, seq);
  }
}
