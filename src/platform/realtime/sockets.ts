import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/actor.js';
import type { SocketClient } from './socket-client.js';
import type { Socket } from 'socket.io';

/** A socket of this replica with what the platform knows of it. */
export class Client implements SocketClient {
  /** Whether it is in its rooms and gets live events. */
  live = false;
  /** Its memberships changed while its rooms were being read. */
  stale = false;
  /** Refusals by the rate limit within the present window. */
  refusals = 0;
  refusedSince = 0;

  constructor(
    readonly socket: Socket,
    readonly deviceId: string,
    public actor: Actor,
  ) {}

  get userId(): string {
    return this.actor.userId;
  }
}

/** Every open socket of this replica, by user. */
@Injectable()
export class Sockets {
  private readonly users = new Map<string, Set<Client>>();
  private readonly reserved = new Map<string, number>();
  size = 0;

  add(client: Client): void {
    let clients = this.users.get(client.userId);
    if (!clients) this.users.set(client.userId, (clients = new Set()));
    clients.add(client);
    this.size += 1;
  }

  remove(client: Client): void {
    const clients = this.users.get(client.userId);
    if (!clients?.delete(client)) return;
    this.size -= 1;
    if (clients.size === 0) this.users.delete(client.userId);
  }

  /** Takes a place for a socket that is about to connect; false when the user has `max` already. */
  reserve(userId: string, max: number): boolean {
    const taken = (this.users.get(userId)?.size ?? 0) + (this.reserved.get(userId) ?? 0);
    if (taken >= max) return false;
    this.reserved.set(userId, (this.reserved.get(userId) ?? 0) + 1);
    return true;
  }

  release(userId: string): void {
    const left = (this.reserved.get(userId) ?? 0) - 1;
    if (left > 0) this.reserved.set(userId, left);
    else this.reserved.delete(userId);
  }

  of(userId: string): ReadonlySet<Client> {
    return this.users.get(userId) ?? none;
  }

  userIds(): string[] {
    return [...this.users.keys()];
  }

  *[Symbol.iterator](): IterableIterator<Client> {
    for (const clients of this.users.values()) yield* clients;
  }
}

const none: ReadonlySet<Client> = new Set();
