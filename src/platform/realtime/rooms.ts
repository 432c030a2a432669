import { Injectable } from '@nestjs/common';
import type { Namespace } from 'socket.io';

const LAGGING = 'lagging';
const CONVERSATION = 'c:';
export const conversationRoom = (conversationId: string): string => CONVERSATION + conversationId;
export const userRoom = (userId: string): string => `u:${userId}`;

/** Sends to the sockets of this replica by conversation or user; a payload is encoded once however many there are. */
@Injectable()
export class Rooms {
  private namespace: Namespace | undefined;

  use(namespace: Namespace): void {
    this.namespace = namespace;
  }

  /** Whether sockets are served. */
  get serving(): boolean {
    return this.namespace !== undefined;
  }

  /** Conversations with a socket of this replica. */
  get conversations(): number {
    let count = 0;
    for (const room of this.namespace?.adapter.rooms.keys() ?? []) if (room.startsWith(CONVERSATION)) count += 1;
    return count;
  }

  /** Every connection of the server, in the namespace or not yet. */
  connections(): { close(): void }[] {
    const clients = (this.namespace?.server.engine as { clients?: Record<string, { close(): void }> } | undefined)
      ?.clients;
    return Object.values(clients ?? {});
  }

  /** A socket left a conversation, by whatever way. */
  onLeave(listener: (conversationId: string, socketId: string) => void): void {
    this.namespace?.adapter.on('leave-room', (room: string, socketId: string) => {
      if (room.startsWith(CONVERSATION)) listener(room.slice(CONVERSATION.length), socketId);
    });
  }

  /** The last socket left a conversation. */
  onEmpty(listener: (conversationId: string) => void): void {
    this.namespace?.adapter.on('delete-room', (room: string) => {
      if (room.startsWith(CONVERSATION)) listener(room.slice(CONVERSATION.length));
    });
  }

  /** To everybody in a conversation who keeps up; `except` leaves out whole rooms or single socket ids. */
  toConversation(conversationId: string, event: string, payload: unknown, except: readonly string[] = []): void {
    this.target(conversationRoom(conversationId), except)?.emit(event, payload);
  }

  /** The same, and not at all to sockets that cannot take it at once. */
  volatileToConversation(
    conversationId: string,
    event: string,
    payload: unknown,
    except: readonly string[] = [],
  ): void {
    this.target(conversationRoom(conversationId), except)?.volatile.emit(event, payload);
  }

  /** To every device of a user. */
  toUser(userId: string, event: string, payload: unknown): void {
    this.namespace?.to(userRoom(userId)).emit(event, payload);
  }

  volatileToUser(userId: string, event: string, payload: unknown): void {
    this.target(userRoom(userId), [])?.volatile.emit(event, payload);
  }

  toSocket(socketId: string, event: string, payload: unknown): void {
    this.namespace?.to(socketId).emit(event, payload);
  }

  /** Everybody out. */
  empty(conversationId: string): void {
    this.namespace?.in(conversationRoom(conversationId)).socketsLeave(conversationRoom(conversationId));
  }

  /** Sockets of this replica in a conversation. */
  roomSize(conversationId: string): number {
    return this.namespace?.adapter.rooms.get(conversationRoom(conversationId))?.size ?? 0;
  }

  /** A socket that cannot keep up gets no live events of conversations until it has caught up. */
  setLagging(socketId: string, lagging: boolean): void {
    const adapter = this.namespace?.adapter;
    if (lagging) void adapter?.addAll(socketId, new Set([LAGGING]));
    else void adapter?.del(socketId, LAGGING);
  }

  private target(room: string, except: readonly string[]) {
    const { namespace } = this;
    const left = namespace?.adapter.rooms.has(LAGGING) ? [LAGGING, ...except] : [...except];
    return left.length === 0 ? namespace?.to(room) : namespace?.to(room).except(left);
  }
}
