import { Injectable } from '@nestjs/common';
import { now } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { ConversationsService, type Place, type Recipient } from '../conversations/conversations.service.js';
import type { MessageBrief } from '../messages/dto/message.view.js';
import { MessagesService } from '../messages/messages.service.js';
import { UsersService } from '../users/users.service.js';
import { listBlocked } from './candidates.repository.js';
import {
  type DecisionReason,
  isQuietMessage,
  type MessageFacts,
  resolveLevel,
  suppression,
} from './notifications.rules.js';

/** A message with what is asked about it once, whoever is to be notified. */
export interface Told {
  message: MessageBrief;
  facts: MessageFacts;
  memberCount: number;
  /** Who is meant in particular: mentioned by name, replied to. */
  meant: ReadonlySet<string>;
  /** In a thread only those who follow it hear of replies. */
  followers: ReadonlySet<string> | undefined;
}

/** Why a user is not to be notified of a message of their conversation; undefined when they are. */
export type Judge = (told: Told, place: Place) => DecisionReason | undefined;

/** Gathers what decides, and asks the rules. */
@Injectable()
export class AudienceService {
  constructor(
    private readonly database: DatabaseService,
    private readonly users: UsersService,
    private readonly conversations: ConversationsService,
    private readonly messages: MessagesService,
  ) {}

  /** Undefined when there is no such message. */
  async about(messageId: string): Promise<Told | undefined> {
    return (await this.aboutAll([messageId]))[0];
  }

  /** Those of the messages that there are, by conversation and seq. */
  async aboutAll(messageIds: readonly string[]): Promise<Told[]> {
    const messages = await this.messages.briefs(messageIds);
    const counts = await this.conversations.memberCounts([...new Set(messages.map((m) => m.conversationId))]);
    return Promise.all(messages.map((message) => this.tell(message, counts.get(message.conversationId) ?? 0)));
  }

  /** Reads what is to be known of these places, and judges from it. */
  async judge(told: readonly Told[], places: readonly Place[]): Promise<Judge> {
    const ids = [...new Set(places.map(({ userId }) => userId))];
    const [recipients, cards, preferences, blocked] = await Promise.all([
      this.conversations.recipientsAt(places),
      this.users.findMany(ids),
      this.users.preferencesOf(ids),
      listBlocked(this.database, pairsOf(told, places)),
    ]);
    const people = new Map(cards.map((card) => [card.id, card]));
    const members = new Map(recipients.map((recipient) => [placeKey(recipient), recipient]));
    const at = now();
    return ({ message, facts, memberCount, meant, followers }, place) => {
      const { userId } = place;
      const recipient: Recipient | undefined = members.get(placeKey(place));
      const card = people.get(userId);
      const wishes = preferences.get(userId)?.notifications;
      if (!recipient || !card || !wishes) return 'not_member';
      const mentioned = message.mentionAll || meant.has(userId);
      const unheard = followers !== undefined && !followers.has(userId) && !mentioned;
      return suppression(
        facts,
        {
          blocked: blocked.has(`${message.senderId} ${userId}`),
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
    };
  }

  /** The same for one user; undefined when they are to be notified. */
  async suppressedFor(told: Told, userId: string): Promise<DecisionReason | undefined> {
    const place = { conversationId: told.message.conversationId, userId };
    return (await this.judge([told], [place]))(told, place);
  }

  private async tell(message: MessageBrief, memberCount: number): Promise<Told> {
    const { conversationId, replyToSeq, threadId } = message;
    const [repliedTo, followers] = await Promise.all([
      replyToSeq === null ? null : this.messages.senderAt(conversationId, replyToSeq),
      threadId === null ? undefined : this.messages.followersOf(threadId),
    ]);
    return {
      message,
      memberCount,
      meant: new Set([...message.mentions, ...(repliedTo === null ? [] : [repliedTo])]),
      followers: followers && new Set(followers),
      facts: {
        seq: message.seq,
        deleted: message.deletedAt !== null,
        quiet: isQuietMessage(message),
        createdAt: message.createdAt,
      },
    };
  }
}

/** Who spoke to whom, each pair once. */
function pairsOf(told: readonly Told[], places: readonly Place[]): [string, string][] {
  const senders = new Map<string, Set<string>>();
  for (const { message } of told) {
    if (message.senderId === null) continue;
    const known = senders.get(message.conversationId) ?? new Set();
    senders.set(message.conversationId, known.add(message.senderId));
  }
  return places.flatMap(({ conversationId, userId }) =>
    [...(senders.get(conversationId) ?? [])]
      .filter((senderId) => senderId !== userId)
      .map((senderId): [string, string] => [senderId, userId]),
  );
}

const placeKey = ({ conversationId, userId }: Place): string => `${conversationId} ${userId}`;
