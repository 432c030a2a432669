import { Injectable } from '@nestjs/common';
import type { Actor } from '../auth/actor.js';
import type { RevocationReason } from '../auth/auth.events.js';
import type { SocketClient } from './socket-client.js';
import type { Socket } from 'socket.io';

/** Why a session's sockets close. */
export type CloseReason = RevocationReason | 'token_expired';

/** Hears of every socket. `left` says that the user went on purpose: logged out, was signed out or closed it properly. */
export interface SocketObserver {
  opened(client: SocketClient): void;
  closed(client: SocketClient, left: boolean): void;
}

/** A socket of this replica with what the platform knows of it. */
export class Client implements SocketClient {
  /** Whether it is in its rooms and gets live events. */
  live = false;
  /** Its memberships changed while its rooms were being read. */
  stale = false;
  /** Refusals by the rate limit within the present window. */
  refusals = 0;
  refusedSince = 0;
  /** Why the server ended it; unset while it is open, and when the client left or the connection broke. */
  ended: CloseReason | undefined;

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
  private readonly observers: SocketObserver[] = [];
  size = 0;

  observe(observer: SocketObserver): void {
    this.observers.push(observer);
  }

  add(client: Client): void {
    let clients = this.users.get(client.userId);
    if (!clients) this.users.set(client.userId, (clients = new Set()));
    clients.add(client);
    this.size += 1;
    for (const observer of this.observers) observer.opened(client);
  }

  /** `byClient` when the client said goodbye. */
  remove(client: Client, byClient: boolean): void {
    const clients = this.users.get(client.userId);
    if (!clients?.delete(client)) return;
    this.size -= 1;
    if (clients.size === 0) this.users.delete(client.userId);
    // Who lets a token expire comes back with a new one.
    const left = byClient || (client.ended !== undefined && client.ended !== 'token_expired');
    for (const observer of this.observers) observer.closed(client, left);
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
