import { type BeforeApplicationShutdown, Injectable, type OnModuleInit } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import type { SocketClient } from '../../platform/realtime/socket-client.js';
import { Sockets } from '../../platform/realtime/sockets.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import { PresenceEntries } from './presence-entries.service.js';
import { type Activity, combine } from './presence.rules.js';

/** A user with sockets on this replica, or whose last connection broke a moment ago. */
interface Here {
  /** Activity by socket id. */
  sockets: Map<string, Activity>;
  /** What others are shown while the user may still come back. */
  activity: Activity | null;
  leaving: NodeJS.Timeout | undefined;
}

/** Who is connected to this replica, and how active they are. The open sockets are the truth; nothing is read back. */
@Injectable()
export class LocalPresence implements OnModuleInit, BeforeApplicationShutdown {
  private readonly users = new Map<string, Here>();
  /** Socket ids whose devices are in use: what they receive needs no push. */
  private readonly active = new Set<string>();

  constructor(
    private readonly config: Config,
    private readonly sockets: Sockets,
    private readonly conversations: ConversationsService,
    private readonly entries: PresenceEntries,
  ) {}

  onModuleInit(): void {
    this.sockets.observe({
      opened: (client) => this.set(client, 'active'),
      closed: (client, left) => this.closed(client, left),
    });
    this.conversations.registerActivity((socketId) => this.active.has(socketId));
  }

  /** Who is in grace stays online: the lease of this replica outlives it as long. */
  async beforeApplicationShutdown(): Promise<void> {
    for (const { leaving } of this.users.values()) clearTimeout(leaving);
    await this.entries.settle();
  }

  /** What one device says. */
  set({ actor: { userId }, socket }: SocketClient, activity: Activity): void {
    let here = this.users.get(userId);
    if (!here) this.users.set(userId, (here = { sockets: new Map(), activity: null, leaving: undefined }));
    clearTimeout(here.leaving);
    here.leaving = undefined;
    here.sockets.set(socket.id, activity);
    if (activity === 'active') this.active.add(socket.id);
    else this.active.delete(socket.id);
    this.update(userId, here);
  }

  private closed({ actor: { userId }, socket }: SocketClient, left: boolean): void {
    this.active.delete(socket.id);
    const here = this.users.get(userId);
    if (!here) return;
    here.sockets.delete(socket.id);
    if (here.sockets.size > 0 || left) return this.update(userId, here);
    // A broken connection usually comes back; until then nobody is told.
    here.leaving = setTimeout(() => this.update(userId, here), this.config.PRESENCE_GRACE * 1000);
    here.leaving.unref();
  }

  private update(userId: string, here: Here): void {
    const activity = combine(here.sockets.values());
    if (here.sockets.size === 0) this.users.delete(userId);
    if (activity === here.activity) return;
    here.activity = activity;
    this.entries.want(userId, activity);
  }
}
