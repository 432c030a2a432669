import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { Log } from '../../platform/logging/log.js';
import type { Sent } from '../../platform/realtime/feeds.js';
import { RECEIPT_FLUSH_MS } from '../../platform/realtime/protocol.js';
import { RoomSequencer } from '../../platform/realtime/room-sequencer.js';
import { Sockets } from '../../platform/realtime/sockets.js';
import { ReceiptsRepository } from './receipts.repository.js';

/**
 * Who sends has read up to there, mostly: the other devices of the sender are told so. Each replica tells its own
 * sockets, so this costs nothing on the bus, and nothing at all for people with one device. A hint: it may be lost.
 */
@Injectable()
export class OwnReceiptsService implements OnModuleInit {
  /** By conversation and user. */
  private pending = new Map<string, Sent & { conversationId: string }>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: DatabaseService,
    private readonly receipts: ReceiptsRepository,
    private readonly rooms: RoomSequencer,
    private readonly sockets: Sockets,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.rooms.onSent((conversationId, sent) => this.add(conversationId, sent));
  }

  private add(conversationId: string, { userId, socketId }: Sent): void {
    const clients = this.sockets.of(userId);
    if (clients.size === 1 && [...clients].every(({ socket }) => socket.id === socketId)) return;
    const key = `${conversationId} ${userId}`;
    const before = this.pending.get(key);
    // Of two that sent, each is told of the other's.
    const exempt = before === undefined || before.socketId === socketId ? socketId : undefined;
    this.pending.set(key, { conversationId, userId, socketId: exempt });
    this.timer ??= setTimeout(() => void this.flush(), RECEIPT_FLUSH_MS).unref();
  }

  private async flush(): Promise<void> {
    this.timer = undefined;
    const { pending } = this;
    this.pending = new Map();
    try {
      for (const { conversationId: c, userId, deliveredSeq, readSeq } of await this.receipts.ofMembers(this.database, [
        ...pending.values(),
      ])) {
        const knowing = pending.get(`${c} ${userId}`)?.socketId;
        for (const { socket, live } of this.sockets.of(userId))
          if (live && socket.id !== knowing) socket.emit('receipts', [[c, userId, deliveredSeq, readSeq]]);
      }
    } catch (error) {
      this.log.warn('receipts.hint_failed', { count: pending.size, err: error });
    }
  }
}
