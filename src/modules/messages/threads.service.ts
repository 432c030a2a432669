import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { newId } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db, Tx } from '../../platform/database/db.js';
import { invalidState } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { decodeCursor, encodeCursor, type Page, type PageQuery, toPage } from '../../platform/http/cursor.js';
import { ConversationsService, type Membership } from '../conversations/conversations.service.js';
import type { ThreadHistoryQuery } from './dto/history.dto.js';
import type { CreateThread, UpdateThread } from './dto/thread.dto.js';
import { type ThreadDetailView, type ThreadRow, toThreadView } from './dto/thread.view.js';
import { MessageHistoryService } from './message-history.service.js';
import { messageDeleted, notFound, roleInsufficient } from './messages.errors.js';
import { ThreadChanged } from './messages.events.js';
import { findRow } from './messages.repository.js';
import * as threads from './threads.repository.js';

const nobody = { following: false, readSeq: 0, unread: 0 };
const LIST = 'threads';
const MEMBERS = 'thread-members';
const listCursor = z.tuple([z.number().int(), z.number().int()]);
const membersCursor = z.tuple([z.uuid()]);

/** Conversations under a message. Who sees the root sees the thread. */
@Injectable()
export class ThreadsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly history: MessageHistoryService,
    private readonly events: EventsService,
  ) {}

  async list(actor: Actor, conversationId: string, { cursor, limit }: PageQuery): Promise<Page<ThreadDetailView>> {
    const member = await this.conversations.requireMember(actor, conversationId);
    const before = cursor === undefined ? null : decodeCursor(LIST, cursor, listCursor);
    const rows = await threads.listThreads(this.database, conversationId, member.visibleFromSeq, before, limit + 1);
    const sides = await threads.threadSides(
      this.database,
      actor.userId,
      rows.map(({ id }) => id),
    );
    return toPage(
      rows,
      limit,
      (row) => ({ ...toThreadView(row), me: sides.get(row.id) ?? nobody }),
      (row) => encodeCursor(LIST, [row.lastReplySeq ?? row.rootSeq, row.rootSeq]),
    );
  }

  /** `created` is false when the root has a thread already. @throws not_found, message_deleted, invalid_state (the root is a reply) */
  async create(
    actor: Actor,
    conversationId: string,
    input: CreateThread,
  ): Promise<{ thread: ThreadDetailView; created: boolean }> {
    const member = await this.conversations.requireMember(actor, conversationId);
    const root =
      input.rootSeq >= member.visibleFromSeq ? await findRow(this.database, conversationId, input.rootSeq) : undefined;
    if (!root) throw notFound();
    const existing = await threads.findThreadByRoot(this.database, conversationId, input.rootSeq);
    if (existing) return { thread: await this.detail(actor, existing), created: false };
    if (root.deletedAt) throw messageDeleted();
    if (root.threadId !== null) throw invalidState('A reply in a thread cannot have a thread of its own');
    return this.database.tx(async (tx) => {
      const rev = await this.draw(actor, conversationId, tx);
      const raced = await threads.findThreadByRoot(tx, conversationId, input.rootSeq);
      // The rev drawn stays without a row: positions may have holes.
      if (raced) return { thread: await this.detail(actor, raced, tx), created: false };
      const followers = [...new Set([actor.userId, ...(root.senderId === null ? [] : [root.senderId])])];
      const row = await threads.insertThread(
        tx,
        {
          id: newId(),
          conversationId,
          rootSeq: input.rootSeq,
          rev,
          title: input.title ?? null,
          createdBy: actor.userId,
        },
        followers,
      );
      this.tell(row, tx);
      return { thread: await this.detail(actor, row, tx), created: true };
    });
  }

  /** @throws not_found */
  async get(actor: Actor, id: string): Promise<ThreadDetailView> {
    const { thread } = await this.require(actor, id);
    return this.detail(actor, thread);
  }

  /** Its starter, or who moderates the conversation. @throws not_found, role_insufficient */
  async update(actor: Actor, id: string, change: UpdateThread): Promise<ThreadDetailView> {
    const { thread, member } = await this.require(actor, id);
    if (thread.createdBy !== actor.userId && !this.conversations.mayModerate(member))
      throw roleInsufficient('Only the starter or an admin');
    if (!changes(thread, change)) return this.detail(actor, thread);
    return this.database.tx(async (tx) => {
      const rev = await this.draw(actor, thread.conversationId, tx);
      const present = (await threads.findThread(tx, id)) ?? thread;
      const row = await threads.updateThread(tx, id, {
        title: change.title === undefined ? present.title : change.title,
        locked: change.locked ?? present.lockedAt !== null,
        rev,
      });
      this.tell(row, tx);
      return this.detail(actor, row, tx);
    });
  }

  /** A HistoryView, as JSON. @throws not_found */
  async page(actor: Actor, id: string, query: ThreadHistoryQuery): Promise<string> {
    const { thread } = await this.require(actor, id);
    return this.history.page(actor, thread.conversationId, { ...query, threadId: id });
  }

  async members(actor: Actor, id: string, { cursor, limit }: PageQuery) {
    await this.require(actor, id);
    const after = cursor === undefined ? null : decodeCursor(MEMBERS, cursor, membersCursor)[0];
    const rows = await threads.listThreadMembers(this.database, id, after, limit + 1);
    return toPage(
      rows,
      limit,
      (row) => row,
      (row) => encodeCursor(MEMBERS, [row.userId]),
    );
  }

  async follow(actor: Actor, id: string, following: boolean): Promise<void> {
    await this.require(actor, id);
    await threads.setFollowing(this.database, id, actor.userId, following);
  }

  /** Only forwards, at most to the conversation's head. @throws not_found */
  async read(actor: Actor, id: string, seq: number): Promise<{ readSeq: number; unread: number }> {
    const { member } = await this.require(actor, id);
    await threads.setRead(this.database, id, actor.userId, Math.min(seq, member.headSeq));
    const side = (await threads.threadSides(this.database, actor.userId, [id])).get(id) ?? nobody;
    return { readSeq: side.readSeq, unread: side.unread };
  }

  private async require(actor: Actor, id: string): Promise<{ thread: ThreadRow; member: Membership }> {
    const thread = await threads.findThread(this.database, id);
    if (!thread) throw notFound();
    const member = await this.conversations.requireMember(actor, thread.conversationId);
    if (thread.rootSeq < member.visibleFromSeq) throw notFound();
    return { thread, member };
  }

  private async detail(actor: Actor, row: ThreadRow, db: Db = this.database): Promise<ThreadDetailView> {
    const sides = await threads.threadSides(db, actor.userId, [row.id]);
    return { ...toThreadView(row), me: sides.get(row.id) ?? nobody };
  }

  private async draw(actor: Actor, conversationId: string, tx: Tx): Promise<number> {
    const head = await this.conversations.advance(tx, {
      conversationId,
      revs: 1,
      marks: [{ actorId: actor.userId, seq: 0, ord: 0, force: false }],
    });
    return head.rev + 1;
  }

  private tell(row: ThreadRow, tx: Tx): void {
    tx.afterCommit(() => this.events.announce(new ThreadChanged(row), toThreadView(row)));
  }
}

const changes = (thread: ThreadRow, { title, locked }: UpdateThread): boolean =>
  (title !== undefined && title !== thread.title) || (locked !== undefined && locked !== (thread.lockedAt !== null));
