import { Injectable } from '@nestjs/common';
import { monotonicMs } from '../clock/clock.js';
import { EventsService } from '../events/events.service.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { type ConversationChange, Feeds, type Membership, type Sent } from './feeds.js';
import { HeadsHints } from './heads-hints.js';
import { Limit } from './limit.js';
import { RoomReads } from './room-reads.js';
import { conversationRoom, Rooms } from './rooms.js';
import { SequencedFeed } from './sequenced-feed.js';
import { type Client, Sockets } from './sockets.js';

interface Room {
  feed: SequencedFeed<ConversationChange>;
  /** Sockets that may not see messages below a position; the others see all. */
  limited: Map<string, number>;
  /** First visible message of users who are about to join. */
  joining: Map<string, number>;
  /** Last change with which somebody had to go: a membership read before it is out of date. */
  lastLeaveRev: number;
}

const LOOKUPS_AT_ONCE = 4;

/**
 * Tells the changes of each conversation that has a socket on this replica, in order and without a gap, whatever order
 * they are announced in (protocol 7.7, 7.8). Who joins or leaves does so exactly at their change.
 */
@Injectable()
export class RoomSequencer {
  private readonly rooms = new Map<string, Room>();
  private readonly reads: RoomReads;
  private failed = new Set<string>();
  private readonly lookups = new Limit(LOOKUPS_AT_ONCE);
  private readonly sentListeners: ((conversationId: string, sent: Sent) => void)[] = [];

  constructor(
    private readonly feeds: Feeds,
    private readonly sockets: Sockets,
    private readonly sender: Rooms,
    private readonly heads: HeadsHints,
    private readonly log: Log,
    events: EventsService,
  ) {
    this.reads = new RoomReads(feeds);
    events.onPosition(({ feed, id, rev }) => {
      if (feed === 'conversation') this.advance(id, rev);
    });
  }

  /** Hears of each message that is told here and whose sender has a socket here. */
  onSent(listener: (conversationId: string, sent: Sent) => void): void {
    this.sentListeners.push(listener);
  }

  /** Changes made on this replica with their views, ascending by rev. For conversations nobody here is in: no work. */
  apply(conversationId: string, changes: readonly ConversationChange[]): void {
    const room = this.rooms.get(conversationId) ?? this.openForJoining(conversationId, changes);
    room?.feed.apply(changes);
  }

  /** The conversation has reached this position somewhere; what is missing here is read. */
  advance(conversationId: string, rev: number): void {
    this.rooms.get(conversationId)?.feed.advance(rev);
  }

  /** Conversations with a socket here, and the position each has been told. */
  positions(): Map<string, number> {
    return new Map([...this.rooms].map(([id, { feed }]) => [id, feed.position]));
  }

  /** Conversations whose rows could not be read since this was last asked. */
  takeFailed(): ReadonlySet<string> {
    const { failed } = this;
    this.failed = new Set();
    return failed;
  }

  position(conversationId: string): number | undefined {
    return this.rooms.get(conversationId)?.feed.position;
  }

  /** Whether somebody had to leave one of these after the memberships were read. */
  outdated(memberships: readonly Membership[]): boolean {
    return memberships.some(({ conversationId, rev }) => (this.rooms.get(conversationId)?.lastLeaveRev ?? 0) > rev);
  }

  /** Puts a socket into the rooms of its conversations. */
  enter(client: Client, memberships: readonly Membership[]): void {
    for (const { conversationId, rev, visibleFromSeq } of memberships) {
      const room = this.rooms.get(conversationId) ?? this.open(conversationId, rev);
      this.admit(client, conversationId, room, visibleFromSeq);
      room.feed.advance(rev);
    }
  }

  /** A user became a member, as the user's own feed says; nothing to do for sockets that are there already. */
  async join(userId: string, conversationId: string): Promise<void> {
    const outside = [...this.sockets.of(userId)].filter(
      (client) => !client.socket.rooms.has(conversationRoom(conversationId)),
    );
    if (outside.length === 0) return;
    let membership = await this.membership(userId, conversationId);
    // Removed again since it was read: then it is read again.
    while (membership && this.outdated([membership])) membership = await this.membership(userId, conversationId);
    if (!membership) return;
    for (const client of outside) {
      if (client.live && client.socket.connected) this.enter(client, [membership]);
      else client.stale = true;
    }
  }

  /** A user is no member any more, as the user's own feed says: the change is told first if the room is behind. */
  async leave(userId: string, conversationId: string): Promise<void> {
    const room = this.rooms.get(conversationId);
    if (room) {
      const head = (await this.feeds.conversationHeads([conversationId])).get(conversationId) ?? 0;
      await room.feed.reach(head);
    }
    if (await this.membership(userId, conversationId)) return;
    this.dismiss(userId, conversationId);
  }

  /** A room without sockets is forgotten. */
  closed(conversationId: string): void {
    this.rooms.get(conversationId)?.feed.close();
    this.rooms.delete(conversationId);
  }

  left(conversationId: string, socketId: string): void {
    this.rooms.get(conversationId)?.limited.delete(socketId);
  }

  private open(conversationId: string, rev: number): Room {
    const limited = new Map<string, number>();
    const joining = new Map<string, number>();
    const feed = new SequencedFeed<ConversationChange>(rev, {
      read: async (after) => {
        const slice = await this.reads.read(conversationId, after);
        metrics.messagesRepaired.inc({ source: 'room' }, slice.changes.length);
        return slice;
      },
      prepare: (changes) => this.prepare(conversationId, room, changes),
      emit: (change, from) => this.emit(conversationId, room, change, from),
      skip: (to, from) => this.tell(conversationId, { c: conversationId, rev: to, from, t: 'void', v: null }),
      failed: (error) => {
        this.failed.add(conversationId);
        this.log.warn('feed.read_failed', { feed: 'conversation', id: conversationId, err: error });
      },
    });
    const room: Room = { feed, limited, joining, lastLeaveRev: 0 };
    this.rooms.set(conversationId, room);
    return room;
  }

  /** A conversation that nobody here was in, and somebody here is joining. */
  private openForJoining(conversationId: string, changes: readonly ConversationChange[]): Room | undefined {
    const first = changes[0];
    const someoneHere = changes.some(({ joins }) => joins !== undefined && this.sockets.of(joins).size > 0);
    return first && someoneHere ? this.open(conversationId, first.rev - 1) : undefined;
  }

  /** From where joining users may see is not part of the change, which is the same for everybody. */
  private prepare(
    conversationId: string,
    room: Room,
    changes: readonly ConversationChange[],
  ): Promise<void> | undefined {
    const users = changes.flatMap(({ joins }) =>
      joins !== undefined && this.sockets.of(joins).size > 0 ? [joins] : [],
    );
    if (users.length === 0) return undefined;
    return this.readJoining(conversationId, room, new Set(users));
  }

  private async readJoining(conversationId: string, room: Room, users: ReadonlySet<string>): Promise<void> {
    for (const { userId, visibleFromSeq } of await this.lookups.run(() =>
      this.feeds.rooms([...users], conversationId),
    )) {
      room.joining.set(userId, visibleFromSeq);
      // Somebody who left and came back may be here still: what happened between is not for them.
      for (const client of this.sockets.of(userId)) {
        if (client.socket.rooms.has(conversationRoom(conversationId))) limit(room, client, visibleFromSeq);
      }
    }
  }

  private async membership(userId: string, conversationId: string): Promise<Membership | undefined> {
    return (await this.feeds.rooms([userId], conversationId)).find((one) => one.conversationId === conversationId);
  }

  private emit(conversationId: string, room: Room, change: ConversationChange, from: number): void {
    const { rev, t, v, seq, joins, leaves, closes, sent } = change;
    if (joins !== undefined) this.welcome(joins, conversationId, room);
    const payload = { c: conversationId, rev, from, t, v };
    const hidden = seq === undefined ? [] : hiddenFrom(room, seq);
    const startedAt = monotonicMs();
    this.sender.toConversation(conversationId, 'change', payload, hidden);
    for (const id of hidden) this.sender.toSocket(id, 'change', { ...payload, t: 'void', v: null });
    metrics.fanOutSeconds.observe((monotonicMs() - startedAt) / 1000);
    this.heads.moved(conversationId);
    if (leaves !== undefined || closes) room.lastLeaveRev = rev;
    if (leaves !== undefined) this.dismiss(leaves, conversationId);
    if (closes) this.sender.empty(conversationId);
    if (sent && this.sockets.of(sent.userId).size > 0)
      for (const listener of this.sentListeners) listener(conversationId, sent);
    // Opened for somebody who could not come in after all.
    if (joins !== undefined && this.sender.roomSize(conversationId) === 0) this.closed(conversationId);
  }

  private tell(conversationId: string, payload: unknown): void {
    this.sender.toConversation(conversationId, 'change', payload);
    this.heads.moved(conversationId);
  }

  private welcome(userId: string, conversationId: string, room: Room): void {
    const visibleFromSeq = room.joining.get(userId);
    room.joining.delete(userId);
    if (visibleFromSeq === undefined) return;
    for (const client of this.sockets.of(userId)) {
      if (client.live) this.admit(client, conversationId, room, visibleFromSeq);
      else client.stale = true;
    }
  }

  private admit(client: Client, conversationId: string, room: Room, visibleFromSeq: number): void {
    void client.socket.join(conversationRoom(conversationId));
    limit(room, client, visibleFromSeq);
  }

  private dismiss(userId: string, conversationId: string): void {
    for (const client of this.sockets.of(userId)) {
      void client.socket.leave(conversationRoom(conversationId));
      if (!client.live) client.stale = true;
    }
  }
}

function limit(room: Room, client: Client, visibleFromSeq: number): void {
  if (visibleFromSeq > 1) room.limited.set(client.socket.id, visibleFromSeq);
  else room.limited.delete(client.socket.id);
}

/** Ids of the sockets that may not see this message. */
function hiddenFrom({ limited }: Room, seq: number): string[] {
  if (limited.size === 0) return [];
  return [...limited].filter(([, visibleFromSeq]) => visibleFromSeq > seq).map(([id]) => id);
}
