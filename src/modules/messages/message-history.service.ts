import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import type { HistoryQuery, HistoryView } from './dto/history.dto.js';
import type { MessageView } from './dto/message.view.js';
import { MessageViews } from './message-views.service.js';
import { notFound } from './messages.errors.js';
import {
  findById,
  findBySeq,
  type FullMessageRow,
  listAfter,
  listBefore,
  type Stretch,
} from './messages.repository.js';

interface Found {
  rows: FullMessageRow[];
  hasBefore: boolean;
  hasAfter: boolean;
}

/** Reads what was written, by seq. Deleted messages stay in their place, so a page never hides a hole. */
@Injectable()
export class MessageHistoryService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly views: MessageViews,
  ) {}

  /** @throws not_found */
  async page(actor: Actor, conversationId: string, query: HistoryQuery): Promise<HistoryView> {
    const member = await this.conversations.requireMember(actor, conversationId);
    const { visibleFromSeq, headSeq, headRev } = member;
    // The head before the rows: each row is at least as new as the head says, and none stands above it.
    const found = await this.find(
      { conversationId, visibleFromSeq, headSeq, threadId: query.threadId },
      query,
      this.database,
    );
    return {
      items: await this.views.of(found.rows, this.database),
      hasBefore: found.hasBefore,
      hasAfter: found.hasAfter,
      head: { seq: headSeq, rev: headRev },
    };
  }

  /** One message by seq or by id. @throws not_found */
  async get(actor: Actor, conversationId: string, which: number | string): Promise<MessageView> {
    const member = await this.conversations.requireMember(actor, conversationId);
    const row =
      typeof which === 'number'
        ? await findBySeq(this.database, conversationId, which)
        : await findById(this.database, which);
    if (row?.conversationId !== conversationId || row.seq < member.visibleFromSeq) throw notFound();
    return this.views.ofOne(row, this.database);
  }

  /** One message of any of the actor's conversations. @throws not_found */
  async getById(actor: Actor, id: string): Promise<MessageView> {
    const row = await findById(this.database, id);
    if (!row) throw notFound();
    const { visibleFromSeq } = await this.conversations.requireMember(actor, row.conversationId);
    if (row.seq < visibleFromSeq) throw notFound();
    return this.views.ofOne(row, this.database);
  }

  /** One row more than is shown, on the side that is walked, tells whether it goes on; the other side is asked by place. */
  private async find(stretch: Stretch, { before, after, around, limit }: HistoryQuery, db: Db): Promise<Found> {
    if (around !== undefined) {
      const older = await this.below(stretch, around, Math.floor(limit / 2), db);
      const newer = await this.above(stretch, around - 1, limit - older.rows.length, db);
      return { rows: [...older.rows, ...newer.rows], hasBefore: older.hasBefore, hasAfter: newer.hasAfter };
    }
    if (after !== undefined) {
      const newer = await this.above(stretch, after, limit, db);
      const first = newer.rows[0]?.seq ?? after + 1;
      return { ...newer, hasBefore: await this.anyBelow(stretch, first, db) };
    }
    const older = await this.below(stretch, before ?? Number.MAX_SAFE_INTEGER, limit, db);
    const last = older.rows.at(-1)?.seq ?? (before ?? 1) - 1;
    return { ...older, hasAfter: before !== undefined && (await this.anyAbove(stretch, last, db)) };
  }

  private async below(stretch: Stretch, seq: number, limit: number, db: Db): Promise<Found> {
    const rows = await listBefore(db, stretch, seq, limit + 1);
    return { rows: rows.slice(0, limit).toReversed(), hasBefore: rows.length > limit, hasAfter: false };
  }

  private async above(stretch: Stretch, seq: number, limit: number, db: Db): Promise<Found> {
    const rows = await listAfter(db, stretch, seq, limit + 1);
    return { rows: rows.slice(0, limit), hasBefore: false, hasAfter: rows.length > limit };
  }

  /** A conversation has every seq, so its own bounds answer; a thread has to be asked. */
  private async anyBelow(stretch: Stretch, seq: number, db: Db): Promise<boolean> {
    if (stretch.threadId === undefined) return seq > stretch.visibleFromSeq;
    return (await listBefore(db, stretch, seq, 1)).length > 0;
  }

  private async anyAbove(stretch: Stretch, seq: number, db: Db): Promise<boolean> {
    return (await listAfter(db, stretch, seq, 1)).length > 0;
  }
}
