import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { RECEIPT_FLUSH_MS } from './protocol.js';
import { Rooms } from './rooms.js';

/** Two positions in a conversation; both only ever grow. */
interface Watermarks {
  delivered: number;
  read: number;
}

/** Joins what happens within 500 ms into one event per conversation: the highest delivered and read of each member. */
@Injectable()
export class Receipts implements OnApplicationShutdown {
  private waiting = new Map<string, Map<string, Watermarks>>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly rooms: Rooms) {}

  onApplicationShutdown(): void {
    this.flush();
  }

  /** To be told to everybody in the conversation; callers leave out large ones and hidden readers. */
  tell(conversationId: string, userId: string, { delivered, read }: Watermarks): void {
    let members = this.waiting.get(conversationId);
    if (!members) this.waiting.set(conversationId, (members = new Map()));
    const before = members.get(userId);
    members.set(userId, {
      delivered: Math.max(delivered, before?.delivered ?? 0),
      read: Math.max(read, before?.read ?? 0),
    });
    this.timer ??= setTimeout(() => this.flush(), RECEIPT_FLUSH_MS);
  }

  /** To be told to the reader's own devices alone, at once. */
  tellOwn(conversationId: string, userId: string, { delivered, read }: Watermarks): void {
    this.rooms.toUser(userId, 'receipts', [[conversationId, userId, delivered, read]]);
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { waiting } = this;
    this.waiting = new Map();
    for (const [conversationId, members] of waiting) {
      const rows = [...members].map(([userId, { delivered, read }]) => [conversationId, userId, delivered, read]);
      this.rooms.toConversation(conversationId, 'receipts', rows);
    }
  }
}
