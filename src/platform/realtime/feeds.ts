import { Injectable } from '@nestjs/common';
import type { RevocationReason } from '../auth/auth.events.js';
import type { Db } from '../database/db.js';

export interface Sent {
  userId: string;
  socketId?: string | undefined;
}

/** One row's present state in a conversation's feed. */
export interface ConversationChange {
  rev: number;
  t: 'message' | 'member' | 'conversation' | 'thread';
  /** The view; the same for every reader. */
  v: unknown;
  /** Position of the message it concerns: members who may not see it get `void` instead. */
  seq?: number;
  /** User who became a member with this change; their sockets join the room before it is emitted. */
  joins?: string;
  /** User who is no member any more; their sockets get this change and nothing later. */
  leaves?: string;
  /** The conversation was deleted: everybody gets this change and nothing later. */
  closes?: boolean;
  /** Who sent the message it is: their own side moved with it, which the socket that sent it knows. */
  sent?: Sent;
}

/** One row's present state in a user's feed. */
export interface UserChange {
  rev: number;
  t: 'membership' | 'profile' | 'preferences' | 'contact' | 'block' | 'draft' | 'scheduled' | 'notification' | 'device';
  v: unknown;
}

/** The part of a feed above `after`, up to `upTo`. */
export interface FeedRange {
  id: string;
  after: number;
  upTo: number;
}

/**
 * Answers "which of my rows of these conversations changed in these ranges?": one statement for all of them, by rev
 * ascending and at most `limit` for each; conversations without changes may be absent. `db` is the snapshot to read from,
 * by default the pool.
 */
export type ConversationReader = (
  ranges: readonly FeedRange[],
  limit: number,
  db?: Db,
) => Promise<ReadonlyMap<string, ConversationChange[]>>;
/** The same of a user's own rows, `after < rev <= upTo`. */
export type UserReader = (userId: string, after: number, upTo: number, limit: number, db?: Db) => Promise<UserChange[]>;
/** Present heads; ids without a row are absent from the answer. */
export type HeadReader = (ids: readonly string[], db?: Db) => Promise<Map<string, number>>;
/**
 * Heads that moved since a horizon of an earlier answer, and the new horizon: a change that this answer does not hold yet
 * is at or above it. Without one, only the horizon.
 */
export type MovedHeadReader = (since: string | undefined) => Promise<{ heads: Map<string, number>; horizon: string }>;
/** A room the sockets of a user belong in: its present position, and the first message visible to the user. */
export interface Membership {
  userId: string;
  conversationId: string;
  rev: number;
  visibleFromSeq: number;
}
/** All memberships of the users, or those in one conversation. */
export type RoomReader = (userIds: readonly string[], conversationId?: string) => Promise<Membership[]>;

/** Those of the auth sessions that have ended, with the reason. */
export type EndedSessionReader = (sessionIds: readonly string[]) => Promise<ReadonlyMap<string, RevocationReason>>;

/** What the tables say. Modules register in `onModuleInit`; the sequencers ask when a hint leaves a gap. */
@Injectable()
export class Feeds {
  readonly conversationReaders: ConversationReader[] = [];
  readonly userReaders: UserReader[] = [];
  conversationHeads: HeadReader = async () => new Map();
  /** In place of reading the heads of very many rooms by id. */
  movedConversationHeads: MovedHeadReader | undefined;
  userHeads: HeadReader = async () => new Map();
  rooms: RoomReader = async () => [];
  endedSessions: EndedSessionReader = async () => new Map();

  /**
   * Changes after a position, by rev. The head is read first, so a row that changes meanwhile is left for the next page
   * instead of tearing this one: `upTo` never promises more than was read.
   */
  async conversation(id: string, after: number, limit: number): Promise<Slice<ConversationChange>> {
    const head = (await this.conversationHeads([id])).get(id) ?? 0;
    const slices = await this.conversations([{ id, after, upTo: head }], limit);
    return slices.get(id) ?? slice([], after, head, limit);
  }

  /** The same for many conversations whose heads the caller has read, in one statement per reader. */
  async conversations(
    ranges: readonly FeedRange[],
    limit: number,
    db?: Db,
  ): Promise<Map<string, Slice<ConversationChange>>> {
    // One row more than is shown tells whether there are more.
    const parts: ReadonlyMap<string, ConversationChange[]>[] = [];
    for (const read of this.conversationReaders) parts.push(await read(ranges, limit + 1, db));
    return new Map(
      ranges.map(({ id, after, upTo }) => [
        id,
        slice(
          parts.map((part) => part.get(id) ?? []),
          after,
          upTo,
          limit,
        ),
      ]),
    );
  }

  /** The same of a user's feed. Who has everything costs no more than the head. */
  async user(id: string, after: number, limit: number, db?: Db): Promise<Slice<UserChange>> {
    const head = (await this.userHeads([id], db)).get(id) ?? 0;
    if (after >= head) return slice([], after, head, limit);
    const parts: UserChange[][] = [];
    for (const read of this.userReaders) parts.push(await read(id, after, head, limit + 1, db));
    return slice(parts, after, head, limit);
  }
}

export interface Slice<Change> {
  changes: Change[];
  /** Position after applying the changes. */
  upTo: number;
  more: boolean;
  head: number;
}

function slice<Change extends { rev: number }>(
  parts: Change[][],
  after: number,
  head: number,
  limit: number,
): Slice<Change> {
  const all = parts.flat().toSorted((a, b) => a.rev - b.rev);
  const changes = all.slice(0, limit);
  const more = all.length > limit;
  const upTo = more ? (changes.at(-1)?.rev ?? after) : Math.max(after, head);
  return { changes, upTo, more, head };
}
