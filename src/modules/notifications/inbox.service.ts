import { Injectable, type OnModuleInit } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { EventsService } from '../../platform/events/events.service.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { decodeCursor, encodeCursor, type Page, toPage } from '../../platform/http/cursor.js';
import { Feeds, type UserReader } from '../../platform/realtime/feeds.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { UserFeedAdvanced } from '../users/users.events.js';
import type { ListNotifications, ReadNotifications } from './dto/notification.dto.js';
import { type NotificationView, toNotificationView } from './dto/notification.view.js';
import * as inbox from './inbox.repository.js';

const CURSOR = 'notifications';
/** User heads locked by one statement. */
const USERS_PER_STEP = 500;

/** The list of what concerned a user while they were elsewhere. */
@Injectable()
export class InboxService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly conversations: ConversationsService,
    private readonly feeds: Feeds,
  ) {}

  onModuleInit(): void {
    this.feeds.userReaders.push(this.changes);
    this.conversations.registerNotifications((userId) => inbox.countUnreadNotices(this.database, userId));
  }

  /** Puts a cause on the lists of these users; those who have it already keep what they have. */
  async add(userIds: readonly string[], notice: inbox.Notice): Promise<void> {
    for (let i = 0; i < userIds.length; i += USERS_PER_STEP) {
      await this.database.tx(async (tx) => {
        const advanced = await inbox.insertNotices(tx, userIds.slice(i, i + USERS_PER_STEP), notice);
        tx.afterCommit(() => advanced.forEach(({ userId, rev }) => this.tell(userId, rev)));
      });
    }
  }

  /** Newest first. @throws invalid_cursor */
  async list(actor: Actor, { cursor, limit, unread }: ListNotifications): Promise<Page<NotificationView>> {
    const [before = null] = cursor === undefined ? [] : decodeCursor(CURSOR, cursor, z.tuple([z.uuid()]));
    const rows = await inbox.listNotices(this.database, actor.userId, { before, unread, limit: limit + 1 });
    return toPage(rows, limit, toNotificationView, ({ id }) => encodeCursor(CURSOR, [id]));
  }

  /** Answers how many are unread then. */
  async read(actor: Actor, which: ReadNotifications): Promise<{ unread: number }> {
    await this.database.tx(async (tx) => {
      const rev = await inbox.readNotices(tx, actor.userId, which);
      if (rev !== undefined) tx.afterCommit(() => this.tell(actor.userId, rev));
    });
    return { unread: await inbox.countUnreadNotices(this.database, actor.userId) };
  }

  /** Once more is no change. @throws not_found for one of somebody else */
  async dismiss(actor: Actor, id: string): Promise<void> {
    await this.database.tx(async (tx) => {
      const rev = await inbox.dismissNotice(tx, actor.userId, id);
      if (rev !== undefined) tx.afterCommit(() => this.tell(actor.userId, rev));
      else if (!(await inbox.hasNotice(tx, actor.userId, id))) throw notFound();
    });
  }

  private tell(userId: string, rev: number): void {
    this.events.announce(new UserFeedAdvanced(userId, rev));
  }

  private readonly changes: UserReader = async (userId, after, upTo, limit, db = this.database) => {
    const rows = await inbox.changedNotices(db, userId, after, upTo, limit);
    return rows.map((row) => ({
      rev: row.rev,
      t: 'notification',
      v: { ...toNotificationView(row), deleted: row.dismissedAt !== null },
    }));
  };
}
