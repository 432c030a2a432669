import { Injectable } from '@nestjs/common';
import { EventsService } from '../events/events.service.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { Feeds, type UserChange } from './feeds.js';
import { Limit } from './limit.js';
import { RoomSequencer } from './room-sequencer.js';
import { Rooms } from './rooms.js';
import { SequencedFeed } from './sequenced-feed.js';

const PAGE = 200;
const READS_AT_ONCE = 4;

/**
 * Tells each connected user's devices the changes of their own feed, in order. Its membership rows also put the user's
 * sockets into rooms and out of them, on replicas where nobody else is in the conversation too.
 */
@Injectable()
export class UserSequencer {
  private readonly users = new Map<string, SequencedFeed<UserChange>>();
  private readonly reads = new Limit(READS_AT_ONCE);

  constructor(
    private readonly feeds: Feeds,
    private readonly sender: Rooms,
    private readonly roomSequencer: RoomSequencer,
    private readonly log: Log,
    events: EventsService,
  ) {
    events.onPosition(({ feed, id, rev }) => {
      if (feed === 'user') this.advance(id, rev);
    });
  }

  /** Changes made on this replica with their views, ascending by rev. */
  apply(userId: string, changes: readonly UserChange[]): void {
    this.users.get(userId)?.apply(changes);
  }

  advance(userId: string, rev: number): void {
    this.users.get(userId)?.advance(rev);
  }

  positions(): Map<string, number> {
    return new Map([...this.users].map(([id, feed]) => [id, feed.position]));
  }

  /** Follows a user's feed from this position, or goes on if it is followed already; answers the position. */
  open(userId: string, rev: number): number {
    let feed = this.users.get(userId);
    if (!feed) this.users.set(userId, (feed = this.create(userId, rev)));
    feed.advance(rev);
    return feed.position;
  }

  /** The last socket is gone. */
  close(userId: string): void {
    this.users.get(userId)?.close();
    this.users.delete(userId);
  }

  private create(userId: string, rev: number): SequencedFeed<UserChange> {
    return new SequencedFeed<UserChange>(rev, {
      read: async (after) => {
        const slice = await this.reads.run(() => this.feeds.user(userId, after, PAGE));
        metrics.messagesRepaired.inc({ source: 'user' }, slice.changes.length);
        return slice;
      },
      prepare: (changes) => this.joinRooms(userId, changes),
      emit: (change, from) => this.emit(userId, change, from),
      skip: (to, from) => this.sender.toUser(userId, 'user.change', { rev: to, from, t: 'void', v: null }),
      failed: (error) => this.log.warn('feed.read_failed', { feed: 'user', id: userId, err: error }),
    });
  }

  private emit(userId: string, { rev, t, v }: UserChange, from: number): void {
    this.sender.toUser(userId, 'user.change', { rev, from, t, v });
    if (t === 'membership' && !isActive(v as MembershipRow)) {
      void this.follow(userId, () => this.roomSequencer.leave(userId, (v as MembershipRow).conversationId));
    }
  }

  /** Before the user's devices are told: what they then read and what they then hear leave no gap between them. */
  private joinRooms(userId: string, changes: readonly UserChange[]): Promise<void> | undefined {
    const joined = changes.flatMap(({ t, v }) =>
      t === 'membership' && isActive(v as MembershipRow) ? [(v as MembershipRow).conversationId] : [],
    );
    if (joined.length === 0) return undefined;
    return this.follow(userId, async () => {
      for (const conversationId of joined) await this.roomSequencer.join(userId, conversationId);
    });
  }

  /** Never rejects. */
  private async follow(userId: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.log.warn('feed.follow_failed', { id: userId, err: error });
    }
  }
}

const isActive = ({ state, deleted }: MembershipRow): boolean => state === 'active' && !deleted;

/** The part of a membership row that matters here. */
interface MembershipRow {
  conversationId: string;
  state: string;
  deleted?: boolean;
}
