import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import {
  type ConversationChange,
  type FeedRange,
  Feeds,
  type UserChange,
  type UserReader,
} from '../../platform/realtime/feeds.js';
import { ConversationViewsService } from './conversation-views.service.js';
import { ConversationsRepository, type ConversationRow } from './conversations.repository.js';
import { DraftsRepository } from './drafts.repository.js';
import { toConversationView } from './dto/conversation.view.js';
import { toDraftChange } from './dto/draft.view.js';
import { toMemberView } from './dto/member.view.js';
import { type MemberRow, MembersRepository } from './members.repository.js';

/** The parts of the feeds that conversations owns: conversation rows, members, own memberships, drafts. */
@Injectable()
export class ConversationFeedsService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly feeds: Feeds,
    private readonly conversations: ConversationsRepository,
    private readonly members: MembersRepository,
    private readonly drafts: DraftsRepository,
    private readonly views: ConversationViewsService,
  ) {}

  onModuleInit(): void {
    this.feeds.conversationReaders.push((ranges, limit, db) => this.read(ranges, limit, db));
    this.feeds.userReaders.push(this.readOwn);
    this.feeds.conversationHeads = async (ids) =>
      new Map([...(await this.conversations.heads(this.database, ids))].map(([id, { rev }]) => [id, rev]));
    this.feeds.movedConversationHeads = (since) => this.conversations.movedHeads(this.database, since);
    this.feeds.rooms = (userIds, conversationId) => this.members.rooms(this.database, userIds, conversationId);
  }

  private async read(
    ranges: readonly FeedRange[],
    limit: number,
    db: Db = this.database,
  ): Promise<Map<string, ConversationChange[]>> {
    const conversations = await this.conversations.changed(db, ranges);
    const members = await this.members.changed(db, ranges, limit);
    const changes = Map.groupBy(members, ({ conversationId }) => conversationId);
    const result = new Map([...changes].map(([id, rows]) => [id, rows.map(memberChange)]));
    for (const row of conversations)
      result.set(row.id, byRev([...(result.get(row.id) ?? []), conversationChange(row)]).slice(0, limit));
    return result;
  }

  private readonly readOwn: UserReader = async (userId, after, upTo, limit, db = this.database) => {
    const rows = await this.members.changedOf(db, userId, after, upTo, limit);
    const memberships = await this.views.membershipViews(rows, db);
    const drafts = await this.drafts.changed(db, userId, after, upTo, limit);
    return byRev([
      ...memberships.map((v, i): UserChange => ({ rev: rows[i]?.userRev ?? 0, t: 'membership', v })),
      ...drafts.map((row): UserChange => ({ rev: row.rev, t: 'draft', v: toDraftChange(row) })),
    ]).slice(0, limit);
  };
}

const byRev = <Change extends { rev: number }>(changes: Change[]): Change[] =>
  changes.toSorted((a, b) => a.rev - b.rev);

const conversationChange = (row: ConversationRow): ConversationChange => ({
  rev: row.rev,
  t: 'conversation',
  v: toConversationView(row),
  ...(row.deletedAt ? { closes: true } : {}),
});

const memberChange = (row: MemberRow): ConversationChange => ({
  rev: row.rev,
  t: 'member',
  v: toMemberView(row),
  ...(row.state === 'active' ? { joins: row.userId } : { leaves: row.userId }),
});
