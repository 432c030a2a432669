import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { decodeCursor, encodeCursor, toPage } from '../../platform/http/cursor.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import type { ReactionListQuery, ReactionsView, SetReaction } from './dto/change-message.dto.js';
import { MessageChangeService } from './message-change.service.js';
import { limitExceeded, messageDeleted, notFound } from './messages.errors.js';
import { ReactionChanged } from './messages.events.js';
import { findRow } from './messages.repository.js';
import { addReaction, findOwn, listReactions, removeReaction } from './reactions.repository.js';

const MAX_DISTINCT = 20;
const LIST = 'reactions';
const cursorShape = z.tuple([z.string(), z.uuid()]);

/** What members put under a message. A reaction is part of the message row, so each change is one rev of it. */
@Injectable()
export class ReactionsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly messages: MessageChangeService,
  ) {}

  /** @throws not_found, message_deleted, limit_exceeded */
  async set(actor: Actor, { c, seq, emoji, on }: SetReaction): Promise<ReactionsView> {
    const { visibleFromSeq } = await this.conversations.requireMember(actor, c);
    const { message, changed } = await this.messages.apply(actor, { c, seq, visibleFromSeq }, async (row, db) => {
      if (row.deletedAt) throw messageDeleted();
      const present = (await findOwn(db, c, seq, actor.userId)).includes(emoji);
      if (present === on) return undefined;
      const distinct = row.reactions ?? [];
      if (on && distinct.length >= MAX_DISTINCT && !distinct.some((r) => r.emoji === emoji))
        throw limitExceeded('reactions', MAX_DISTINCT);
      return {
        write: (tx) => (on ? addReaction : removeReaction)(tx, c, seq, emoji, actor.userId),
        event: (changedRow) => new ReactionChanged(changedRow),
      };
    });
    return {
      rev: message.rev,
      reactions: message.reactions,
      mine: await findOwn(this.database, c, seq, actor.userId),
      changed,
    };
  }

  async list(actor: Actor, c: string, seq: number, { emoji, cursor, limit }: ReactionListQuery) {
    const { visibleFromSeq } = await this.conversations.requireMember(actor, c);
    const row = seq >= visibleFromSeq ? await findRow(this.database, c, seq) : undefined;
    if (!row) throw notFound();
    if (row.deletedAt) throw messageDeleted();
    const after = cursor === undefined ? null : decodeCursor(LIST, cursor, cursorShape);
    const rows = await listReactions(this.database, c, seq, emoji, after, limit + 1);
    return toPage(
      rows,
      limit,
      ({ userId, emoji: its, at }) => ({ userId, emoji: its, at: at.toISOString() }),
      (last) => encodeCursor(LIST, [last.emoji, last.userId]),
    );
  }
}
