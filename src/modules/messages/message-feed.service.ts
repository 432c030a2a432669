import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import { type ConversationChange, type FeedRange, Feeds } from '../../platform/realtime/feeds.js';
import type { MessageView } from './dto/message.view.js';
import { type ThreadView, toThreadView } from './dto/thread.view.js';
import { MessageViews } from './message-views.service.js';
import { listChanged, listNewest } from './messages.repository.js';
import { listChangedThreads } from './threads.repository.js';

export const messageChange = (v: MessageView): ConversationChange => ({ rev: v.rev, t: 'message', v, seq: v.seq });
/** As long as it may be news to its sender's devices. `socketId` is where it was sent. */
export const sentChange = (v: MessageView, socketId?: string): ConversationChange =>
  v.senderId === null ? messageChange(v) : { ...messageChange(v), sent: { userId: v.senderId, socketId } };
/** A thread is seen by those who see its root. */
export const threadChange = (v: ThreadView): ConversationChange => ({ rev: v.rev, t: 'thread', v, seq: v.rootSeq });

/** The part of a conversation's feed that messages owns: messages and threads. */
@Injectable()
export class MessageFeedService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly feeds: Feeds,
    private readonly views: MessageViews,
  ) {}

  onModuleInit(): void {
    this.feeds.conversationReaders.push((ranges, limit, db) => this.read(ranges, limit, db));
  }

  /** Rows changed in each range, by rev, at most `limit` for each. */
  async read(
    ranges: readonly FeedRange[],
    limit: number,
    db: Db = this.database,
  ): Promise<Map<string, ConversationChange[]>> {
    const messages = await this.views.of(await listChanged(db, ranges, limit), db);
    const threads = await listChangedThreads(db, ranges, limit);
    const changes = Map.groupBy(
      [...messages.map((v) => sentChange(v)), ...threads.map(toThreadView).map(threadChange)],
      ({ v }) => (v as MessageView | ThreadView).conversationId,
    );
    return new Map([...changes].map(([id, list]) => [id, list.toSorted((a, b) => a.rev - b.rev).slice(0, limit)]));
  }

  /** The newest messages of each conversation, for clients that start anew. */
  async newest(
    rooms: readonly { id: string; visibleFromSeq: number }[],
    limit: number,
    db: Db,
  ): Promise<Map<string, ConversationChange[]>> {
    if (rooms.length === 0) return new Map();
    const messages = await this.views.of(await listNewest(db, rooms, limit), db);
    return Map.groupBy(messages.map(messageChange), ({ v }) => (v as MessageView).conversationId);
  }
}
