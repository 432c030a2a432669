import type { ConversationChange, FeedRange, Feeds, UserChange } from '../../../src/platform/realtime/feeds.js';
import { newId } from '../../../src/platform/clock/clock.js';

interface Conversation {
  changedAt: number;
  rev: number;
  seq: number;
  /** Present rows by identity: a row that changes again carries only its last rev. */
  rows: Map<string, ConversationChange>;
  members: Map<string, number>;
}

/** What the tables of the modules would hold: the truth that all replicas of a test share. */
export class World {
  private readonly conversations = new Map<string, Conversation>();
  private readonly users = new Map<string, { rev: number; rows: Map<string, UserChange> }>();
  /** What was asked of the heads: how many by id, or `moved`. */
  readonly headReads: (number | 'moved')[] = [];
  private clock = 0;
  /** How many reads of rows are to fail. */
  failures = 0;
  readonly ended = new Map<string, 'revoked'>();

  conversation(...members: string[]): string {
    const id = newId();
    this.conversations.set(id, {
      changedAt: 0,
      rev: 0,
      seq: 0,
      rows: new Map(),
      members: new Map(members.map((user) => [user, 1])),
    });
    return id;
  }

  head(id: string): number {
    return this.get(id).rev;
  }

  post(id: string, text = 'hello'): ConversationChange {
    const conversation = this.get(id);
    const seq = ++conversation.seq;
    return this.write(conversation, `m${seq}`, { t: 'message', v: { seq, text }, seq });
  }

  edit(id: string, seq: number, text: string): ConversationChange {
    return this.write(this.get(id), `m${seq}`, { t: 'message', v: { seq, text }, seq });
  }

  add(id: string, user: string, history: 'all' | 'none' = 'all'): ConversationChange {
    const conversation = this.get(id);
    conversation.members.set(user, history === 'all' ? 1 : conversation.seq + 1);
    this.tellUser(user, id, 'active');
    return this.write(conversation, `u${user}`, { t: 'member', v: { userId: user, state: 'active' }, joins: user });
  }

  remove(id: string, user: string): ConversationChange {
    const conversation = this.get(id);
    conversation.members.delete(user);
    this.tellUser(user, id, 'removed');
    return this.write(conversation, `u${user}`, { t: 'member', v: { userId: user, state: 'removed' }, leaves: user });
  }

  delete(id: string): ConversationChange {
    const conversation = this.get(id);
    for (const user of conversation.members.keys()) this.tellUser(user, id, 'removed');
    conversation.members.clear();
    return this.write(conversation, 'c', { t: 'conversation', v: { id }, closes: true });
  }

  profile(user: string, bio: string): UserChange {
    return this.writeUser(user, 'profile', { t: 'profile', v: { bio } });
  }

  userHead(user: string): number {
    return this.users.get(user)?.rev ?? 0;
  }

  serve(feeds: Feeds): void {
    feeds.movedConversationHeads = async (since) => {
      if (since !== undefined) this.headReads.push('moved');
      const moved = [...this.conversations].filter(([, { changedAt }]) => changedAt > Number(since ?? Infinity));
      return { heads: new Map(moved.map(([id, { rev }]) => [id, rev])), horizon: String(this.clock) };
    };
    feeds.conversationHeads = async (ids) => {
      this.headReads.push(ids.length);
      return new Map(ids.flatMap((id) => (this.conversations.has(id) ? [[id, this.head(id)] as const] : [])));
    };
    feeds.conversationReaders.push(async (ranges, limit) => {
      if (this.failures > 0) {
        this.failures -= 1;
        throw new Error('no database');
      }
      const rows = ({ id, after, upTo }: FeedRange) =>
        between([...this.get(id).rows.values()], after, upTo).slice(0, limit);
      return new Map(ranges.map((range) => [range.id, rows(range)]));
    });
    feeds.userHeads = async (ids) => new Map(ids.map((id) => [id, this.userHead(id)] as const));
    feeds.userReaders.push(async (id, after, upTo, limit) =>
      between([...(this.users.get(id)?.rows.values() ?? [])], after, upTo).slice(0, limit),
    );
    feeds.rooms = async (userIds) =>
      [...this.conversations].flatMap(([conversationId, { rev, members }]) =>
        userIds.flatMap((userId) => {
          const visibleFromSeq = members.get(userId);
          return visibleFromSeq === undefined ? [] : [{ userId, conversationId, rev, visibleFromSeq }];
        }),
      );
    feeds.endedSessions = async (ids) =>
      new Map(ids.flatMap((id) => (this.ended.has(id) ? [[id, 'revoked'] as const] : [])));
  }

  private get(id: string): Conversation {
    const conversation = this.conversations.get(id);
    if (!conversation) throw new Error(`no conversation ${id}`);
    return conversation;
  }

  private write(conversation: Conversation, row: string, change: Omit<ConversationChange, 'rev'>): ConversationChange {
    const written = { ...change, rev: ++conversation.rev };
    conversation.changedAt = ++this.clock;
    conversation.rows.set(row, written);
    return written;
  }

  private tellUser(user: string, conversationId: string, state: string): void {
    this.writeUser(user, conversationId, { t: 'membership', v: { conversationId, state } });
  }

  private writeUser(user: string, row: string, change: Omit<UserChange, 'rev'>): UserChange {
    let feed = this.users.get(user);
    if (!feed) this.users.set(user, (feed = { rev: 0, rows: new Map() }));
    const written = { ...change, rev: ++feed.rev };
    feed.rows.set(row, written);
    return written;
  }
}

const between = <Change extends { rev: number }>(rows: Change[], after: number, upTo: number): Change[] =>
  rows.filter(({ rev }) => rev > after && rev <= upTo).toSorted((a, b) => a.rev - b.rev);
