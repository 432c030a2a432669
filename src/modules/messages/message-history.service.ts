import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { BriefMemory } from '../../platform/clock/brief-memory.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import { ServerEpoch } from '../../platform/realtime/server-epoch.js';
import { ConversationsService, type Membership } from '../conversations/conversations.service.js';
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

const PAGE_MS = 30_000;
const PAGES = 256;
const PAGE_MAX_CHARS = 65_536;

/** Reads what was written, by seq. Deleted messages stay in their place, so a page never hides a hole. */
@Injectable()
export class MessageHistoryService {
  /**
   * What was asked for lately: a notification lets everybody open the same conversation at once. A page belongs to one rev,
   * and with the rev all changes that a page shows, so a page kept is as good as one that is read now.
   */
  private readonly pages = new BriefMemory<Promise<string>>(PAGE_MS, PAGES);

  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly views: MessageViews,
    private readonly epochs: ServerEpoch,
  ) {}

  /** A HistoryView, as JSON. @throws not_found */
  async page(actor: Actor, conversationId: string, query: HistoryQuery): Promise<string> {
    const member = await this.conversations.requireMember(actor, conversationId);
    const { before, after, around, threadId, limit } = query;
    const { visibleFromSeq, headSeq, headRev } = member;
    // Revs are counted anew after a restore, which begins an epoch.
    const at = [this.epochs.current, conversationId, headRev, headSeq, visibleFromSeq];
    const key = [...at, before, after, around, threadId, limit].join();
    const known = this.pages.get(key);
    if (known) return known;
    const page = this.read(member, query);
    this.pages.set(key, page);
    page.then(
      ({ length }) => length > PAGE_MAX_CHARS && this.pages.delete(key),
      () => this.pages.delete(key),
    );
    return page;
  }

  private async read(member: Membership, query: HistoryQuery): Promise<string> {
    const { conversationId, visibleFromSeq, headSeq, headRev } = member;
    // The head before the rows: each row is at least as new as the head says, and none stands above it.
    const found = await this.find(
      { conversationId, visibleFromSeq, headSeq, threadId: query.threadId },
      query,
      this.database,
    );
    const view: HistoryView = {
      items: await this.views.of(found.rows, this.database),
      hasBefore: found.hasBefore,
      hasAfter: found.hasAfter,
      head: { seq: headSeq, rev: headRev },
    };
    return JSON.stringify(view);
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
