import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { UNREAD_CAP } from './conversations.rules.js';
import type { UnreadCount } from './dto/me.view.js';
import type { UnreadExplanation, UnreadTotals } from './dto/unread.view.js';
import { MembersRepository, type MeRow } from './members.repository.js';
import { MessageSourceService } from './message-source.service.js';

/** What an app icon may show. */
export type Badges = Pick<UnreadTotals, 'conversations' | 'messages'>;
type Distance = Omit<UnreadCount, 'mentions'>;
const NOTHING: Distance = { unread: 0, unreadCapped: false };

/**
 * How much is unread. No such number is stored: it is the distance of two counters, or, once something behind the reader's
 * position was deleted, a count of rows.
 */
@Injectable()
export class UnreadService {
  private notifications: (userId: string) => Promise<number> = async () => 0;

  constructor(
    private readonly database: DatabaseService,
    private readonly members: MembersRepository,
    private readonly source: MessageSourceService,
  ) {}

  /** For the module that owns notifications: how many of a user's are unread. */
  useNotifications(count: (userId: string) => Promise<number>): void {
    this.notifications = count;
  }

  /** Counts for memberships, in their order; at most two statements for all of them. */
  async count(rows: readonly MeRow[], db: Db = this.database): Promise<UnreadCount[]> {
    const unread = await this.distances(rows, db);
    const toSearch = rows.filter((row) => row.headSeq > row.readSeq);
    const mentions = zip(toSearch, toSearch.length > 0 ? await this.source.countMentions(toSearch, db) : []);
    return rows.map((row, i) => ({ ...(unread[i] ?? NOTHING), mentions: mentions.get(row) ?? 0 }));
  }

  /** The number with everything it is derived from. @throws not_found */
  async explain(actor: Actor, conversationId: string): Promise<UnreadExplanation> {
    return this.database.snapshot(async (db) => {
      const row = await this.members.me(db, conversationId, actor.userId);
      if (!row) throw notFound();
      const [count] = await this.count([row], db);
      return {
        unread: count?.unread ?? 0,
        capped: count?.unreadCapped ?? false,
        ord: row.headOrd,
        readOrd: row.readOrd,
        readSeq: row.readSeq,
        lastDeleteSeq: row.lastDeleteSeq,
        method: mustBeCounted(row) ? 'count' : 'watermark',
        mentions: count?.mentions ?? 0,
        rev: row.headRev,
      };
    });
  }

  /** Over all conversations that are neither muted nor archived. */
  async totals(userId: string, db: Db = this.database): Promise<UnreadTotals> {
    const rows = await this.members.unreadOf(db, [userId]);
    const counts = await this.count(rows, db);
    const sum = (of: (count: UnreadCount) => number) => counts.reduce((total, count) => total + of(count), 0);
    return {
      conversations: counts.filter(({ unread }, i) => unread > 0 || rows[i]?.markedUnread).length,
      messages: sum(({ unread }) => unread),
      mentions: sum(({ mentions }) => mentions),
      notifications: await this.notifications(userId),
    };
  }

  /** The same without mentions and notifications, of many users at once; who has nothing unread is absent. */
  async badges(userIds: readonly string[], db: Db = this.database): Promise<Map<string, Badges>> {
    const rows = await this.members.unreadOf(db, userIds);
    const counts = await this.distances(rows, db);
    const badges = new Map<string, Badges>();
    for (const [i, { userId, markedUnread }] of rows.entries()) {
      const { unread } = counts[i] ?? NOTHING;
      const { conversations, messages } = badges.get(userId) ?? { conversations: 0, messages: 0 };
      const shown = unread > 0 || markedUnread ? 1 : 0;
      badges.set(userId, { conversations: conversations + shown, messages: messages + unread });
    }
    return badges;
  }

  /** How far behind the head each membership is; what must be counted is counted in one statement. */
  private async distances(rows: readonly MeRow[], db: Db): Promise<Distance[]> {
    const toCount = rows.filter(mustBeCounted);
    const counted = zip(toCount, toCount.length > 0 ? await this.source.countUnread(toCount, UNREAD_CAP, db) : []);
    return rows.map((row) => {
      const unread = counted.get(row);
      if (unread === undefined) return { unread: row.headOrd - row.readOrd, unreadCapped: false };
      return { unread: Math.min(unread, UNREAD_CAP), unreadCapped: unread > UNREAD_CAP };
    });
  }
}

const mustBeCounted = (row: MeRow): boolean => row.lastDeleteSeq > row.readSeq;
const zip = (rows: readonly MeRow[], values: readonly number[]): Map<MeRow, number> =>
  new Map(rows.map((row, i) => [row, values[i] ?? 0]));
