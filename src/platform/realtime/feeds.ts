import { Injectable } from '@nestjs/common';

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
}

/** One row's present state in a user's feed. */
export interface UserChange {
  rev: number;
  t: 'membership' | 'profile' | 'preferences' | 'contact' | 'block' | 'draft' | 'scheduled' | 'notification' | 'device';
  v: unknown;
}

/** Answers "which of my rows of this conversation changed after a position?", by rev ascending, at most `limit`. */
export type ConversationReader = (conversationId: string, after: number, upTo: number, limit: number) => Promise<ConversationChange[]>;
export type UserReader = (userId: string, after: number, upTo: number, limit: number) => Promise<UserChange[]>;
/** Present heads; ids without a row are absent from the answer. */
export type HeadReader = (ids: readonly string[]) => Promise<Map<string, number>>;
/** Rooms a user's sockets belong in, with the first message visible to them. */
export type RoomReader = (userId: string) => Promise<{ conversationId: string; rev: number; visibleFromSeq: number }[]>;

/** What the tables say. Modules register in `onModuleInit`; the sequencers ask when a hint leaves a gap. */
@Injectable()
export class Feeds {
  readonly conversationReaders: ConversationReader[] = [];
  readonly userReaders: UserReader[] = [];
  conversationHeads: HeadReader = async () => new Map();
  userHeads: HeadReader = async () => new Map();
  rooms: RoomReader = async () => [];

  /**
   * Changes after a position, by rev. The head is read first, so a row that changes meanwhile is left for the next page
   * instead of tearing this one: `upTo` never promises more than was read.
   */
  async conversation(id: string, after: number, limit: number): Promise<Slice<ConversationChange>> {
    const head = (await this.conversationHeads([id])).get(id) ?? 0;
    return slice(await Promise.all(this.conversationReaders.map((read) => read(id, after, head, limit))), after, head, limit);
  }

  async user(id: string, after: number, limit: number): Promise<Slice<UserChange>> {
    const head = (await this.userHeads([id])).get(id) ?? 0;
    return slice(await Promise.all(this.userReaders.map((read) => read(id, after, head, limit))), after, head, limit);
  }
}

export interface Slice<Change> {
  changes: Change[];
  /** Position after applying the changes. */
  upTo: number;
  more: boolean;
  head: number;
}

function slice<Change extends { rev: number }>(parts: Change[][], after: number, head: number, limit: number): Slice<Change> {
  const all = parts.flat().toSorted((a, b) => a.rev - b.rev);
  const changes = all.slice(0, limit);
  const more = all.length > limit;
  const upTo = more ? (changes.at(-1)?.rev ?? after) : Math.max(after, head);
  return { changes, upTo, more, head };
}
