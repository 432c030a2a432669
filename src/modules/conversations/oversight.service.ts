import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { decodeCursor, encodeCursor, type Page, type PageQuery, toPage } from '../../platform/http/cursor.js';
import { Feeds } from '../../platform/realtime/feeds.js';
import { ConversationsRepository } from './conversations.repository.js';
import type { ConversationType } from './conversations.rules.js';
import { toConversationView } from './dto/conversation.view.js';
import { type InspectedConversation, type OverseenConversation, toInspected } from './dto/oversight.view.js';
import { MembersRepository } from './members.repository.js';
import { OversightRepository } from './oversight.repository.js';

const idPosition = z.tuple([z.uuid()]);
const MEMBERS_SHOWN = 1000;
const RECENT_REVS = 50;

/** Which conversations; `query` is part of a title. */
export interface OversightQuery extends PageQuery {
  query?: string | undefined;
  type?: ConversationType | undefined;
}

/** Conversations as those see them who look after the installation: state and positions, nothing that was written. */
@Injectable()
export class OversightService {
  constructor(
    private readonly database: DatabaseService,
    private readonly feeds: Feeds,
    private readonly conversations: ConversationsRepository,
    private readonly members: MembersRepository,
    private readonly oversight: OversightRepository,
  ) {}

  /** @throws forbidden, invalid_cursor */
  async list(actor: Actor, { query, type, cursor, limit }: OversightQuery): Promise<Page<OverseenConversation>> {
    requirePermission(actor, 'conversations.read');
    const before = cursor === undefined ? null : decodeCursor('admin.conversations', cursor, idPosition)[0];
    const rows = await this.oversight.list(this.database, { text: query, type }, before, limit + 1);
    return toPage(
      rows,
      limit,
      (row) => ({ ...toConversationView(row), memberCount: row.memberCount }),
      (row) => encodeCursor('admin.conversations', [row.id]),
    );
  }

  /** @throws forbidden, not_found */
  async inspect(actor: Actor, id: string): Promise<InspectedConversation> {
    requirePermission(actor, 'conversations.read');
    return this.database.snapshot(async (db) => {
      const conversation = await this.conversations.find(db, id);
      const head = await this.oversight.head(db, id);
      if (!conversation || !head) throw notFound();
      const rows = await this.oversight.watermarks(db, id, MEMBERS_SHOWN);
      const count = await this.members.countActive(db, id);
      const range = { id, after: Math.max(0, head.rev - RECENT_REVS), upTo: head.rev };
      const slice = (await this.feeds.conversations([range], RECENT_REVS, db)).get(id);
      const recent = (slice?.changes ?? []).map(({ rev, t, seq = null }) => ({ rev, t, seq }));
      return toInspected(toConversationView(conversation), head, rows, count, recent.toReversed());
    });
  }
}
