import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { decodeCursor, encodeCursor, type Page } from '../../platform/http/cursor.js';
import { Feeds } from '../../platform/realtime/feeds.js';
import type { SearchHitView, SearchQuery } from './dto/search.dto.js';
import { MessageViews } from './message-views.service.js';
import { findByPlaces } from './messages.repository.js';
import { highlight } from './search.rules.js';
import { type Hit, search } from './search.repository.js';

/** Ranked pages are walked by number; nobody reads beyond this. */
const DEEPEST = 1000;
const LIST = 'search';
const cursorShape = z.tuple([z.number().int().min(0).max(DEEPEST)]);

@Injectable()
export class SearchService {
  constructor(
    private readonly database: DatabaseService,
    private readonly feeds: Feeds,
    private readonly views: MessageViews,
  ) {}

  /** Messages the actor may see, the best match first. */
  async search(actor: Actor, query: SearchQuery): Promise<Page<SearchHitView>> {
    const offset = query.cursor === undefined ? 0 : decodeCursor(LIST, query.cursor, cursorShape)[0];
    const rooms = await this.feeds.rooms([actor.userId], query.conversationId);
    const hits = await search(this.database, rooms, query, offset, query.limit + 1);
    const next = offset + query.limit;
    return {
      items: await this.show(hits.slice(0, query.limit), query.q),
      next: hits.length > query.limit && next <= DEEPEST ? encodeCursor(LIST, [next]) : null,
      prev: null,
    };
  }

  private async show(hits: readonly Hit[], q: string): Promise<SearchHitView[]> {
    const views = await this.views.of(await findByPlaces(this.database, hits), this.database);
    const byPlace = new Map(views.map((view) => [`${view.conversationId} ${view.seq}`, view]));
    return hits.flatMap(({ conversationId, seq, body }) => {
      const message = byPlace.get(`${conversationId} ${seq}`);
      // Deleted or edited since it was indexed: what is shown is what is there now.
      return message && message.deletedAt === null ? [{ message, highlight: highlight(message.body ?? body, q) }] : [];
    });
  }
}
