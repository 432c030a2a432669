import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { ConversationsRepository, type DetailRow, type Head } from './conversations.repository.js';
import { type ConversationDetailView, toConversationView } from './dto/conversation.view.js';
import { type MembershipView, type MeView, toMeView } from './dto/me.view.js';
import { MembersRepository, type MeRow } from './members.repository.js';
import { UnreadService } from './unread.service.js';

/** One conversation in a sync answer, before its changes. */
export interface SyncEntry {
  id: string;
  type: 'direct' | 'group' | 'channel';
  head: Head;
  visibleFromSeq: number;
  memberCount: number;
  me: MeView;
  /** For clients that have nothing of it yet. */
  view: ConversationDetailView;
}

/** Conversations as one reader sees them: a row, the head, and the reader's own side with what is unread. */
@Injectable()
export class ConversationViewsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsRepository,
    private readonly members: MembersRepository,
    private readonly unread: UnreadService,
  ) {}

  /** @throws not_found */
  async me(userId: string, conversationId: string, db: Db = this.database): Promise<MeView> {
    const row = await this.members.me(db, conversationId, userId);
    const [view] = row ? await this.meViews([row], db) : [];
    if (!view) throw notFound();
    return view;
  }

  async meViews(rows: readonly MeRow[], db: Db = this.database): Promise<MeView[]> {
    const counts = await this.unread.count(rows, db);
    return rows.map((row, i) => toMeView(row, counts[i] ?? NOTHING));
  }

  /** `v` of membership changes in a user's feed. */
  async membershipViews(rows: readonly MeRow[], db: Db = this.database): Promise<MembershipView[]> {
    const views = await this.meViews(rows, db);
    return views.map((me, i) => ({
      conversationId: rows[i]?.conversationId ?? '',
      ...me,
      ...(me.state === 'active' ? {} : { deleted: true as const }),
    }));
  }

  /** @throws not_found */
  async detail(actor: Actor, id: string, db: Db = this.database): Promise<ConversationDetailView> {
    const [view] = await this.details(actor, [id], db);
    if (!view) throw notFound();
    return view;
  }

  /** Those of `ids` the actor is an active member of. */
  async details(actor: Actor, ids: readonly string[], db: Db = this.database): Promise<ConversationDetailView[]> {
    return this.toDetails(await this.conversations.details(db, actor.userId, ids), db);
  }

  async toDetails(rows: readonly DetailRow[], db: Db = this.database): Promise<ConversationDetailView[]> {
    const sides = await this.meViews(rows, db);
    return rows.map((row, i) => ({
      ...toConversationView(row),
      memberCount: row.memberCount,
      head: { seq: row.headSeq, rev: row.headRev },
      me: sides[i] ?? toMeView(row, NOTHING),
    }));
  }

  /** Active conversations by id, after `after`, with head and own side. */
  async syncEntries(actor: Actor, after: string | null, limit: number, db: Db = this.database): Promise<SyncEntry[]> {
    const rows = await this.conversations.after(db, actor.userId, after, limit);
    const views = await this.toDetails(rows, db);
    return views.map((view, i) => ({
      id: view.id,
      type: view.type,
      head: { ...view.head, ord: rows[i]?.headOrd ?? 0 },
      visibleFromSeq: view.me.visibleFromSeq,
      memberCount: view.memberCount,
      me: view.me,
      view,
    }));
  }
}

const NOTHING = { unread: 0, unreadCapped: false, mentions: 0 };
