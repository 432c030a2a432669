import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { decodeCursor, encodeCursor, type Page, toPage } from '../../platform/http/cursor.js';
import { ConversationViewsService } from './conversation-views.service.js';
import { ConversationsRepository } from './conversations.repository.js';
import type { DiscoverChannels, ListConversations } from './dto/conversation.dto.js';
import { type ConversationDetailView, type PublicChannelView, toConversationView } from './dto/conversation.view.js';

const activityPosition = z.tuple([z.iso.datetime(), z.uuid()]);
const offsetPosition = z.tuple([z.number().int().min(0).max(1_000_000)]);

/** Finding conversations: one's own, and public channels. */
@Injectable()
export class DirectoryService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsRepository,
    private readonly views: ConversationViewsService,
  ) {}

  /** @throws not_found */
  get(actor: Actor, id: string): Promise<ConversationDetailView> {
    return this.views.detail(actor, id);
  }

  /** The actor's conversations, last activity first. A page of the `unread` filter may come out shorter than asked for. */
  async list(actor: Actor, { filter, cursor, limit }: ListConversations): Promise<Page<ConversationDetailView>> {
    const kind = `conversations.${filter}`;
    const before = cursor === undefined ? null : decodeCursor(kind, cursor, activityPosition);
    const rows = await this.conversations.list(this.database, actor.userId, filter, before, limit + 1);
    const page = toPage(
      rows,
      limit,
      (row) => row,
      (row) => encodeCursor(kind, [row.activity.toISOString(), row.id]),
    );
    const items = await this.views.toDetails(page.items);
    // What the counters call unread may have been deleted since.
    const shown = filter === 'unread' ? items.filter(({ me }) => me.unread > 0 || me.markedUnread) : items;
    return { ...page, items: shown };
  }

  /** Public channels; with a query those whose title contains it, the most similar first. */
  async discover(_actor: Actor, { query, cursor, limit }: DiscoverChannels): Promise<Page<PublicChannelView>> {
    const [offset] = cursor === undefined ? [0] : decodeCursor('discover', cursor, offsetPosition);
    const rows = await this.conversations.discover(this.database, query, offset, limit + 1);
    return toPage(
      rows,
      limit,
      (row) => ({ ...toConversationView(row), memberCount: row.memberCount }),
      () => encodeCursor('discover', [offset + limit]),
    );
  }
}
