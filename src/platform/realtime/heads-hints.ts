import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { monotonicMs } from '../clock/clock.js';
import { HEADS_INTERVAL_MS } from './protocol.js';
import { Rooms } from './rooms.js';

const SWEEP_MS = 1000;

/**
 * Repeats the position of each conversation within 30 s after it moved, so that a client that lost the last change of a
 * quiet conversation learns of it. One timer for all; each room is due at its own time, which spreads the work.
 */
@Injectable()
export class HeadsHints implements OnApplicationShutdown {
  /** Due times by conversation; all waits are equal, so insertion order is order of time. */
  private readonly due = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private position: (conversationId: string) => number | undefined = () => undefined;

  constructor(private readonly rooms: Rooms) {}

  start(position: (conversationId: string) => number | undefined): void {
    this.position = position;
    this.timer = setInterval(() => this.sweep(), SWEEP_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  moved(conversationId: string): void {
    if (!this.due.has(conversationId)) this.due.set(conversationId, monotonicMs() + HEADS_INTERVAL_MS);
  }

  private sweep(): void {
    const at = monotonicMs();
    for (const [conversationId, dueAt] of this.due) {
      if (dueAt > at) return;
      this.due.delete(conversationId);
      const rev = this.position(conversationId);
      if (rev !== undefined) this.rooms.toConversation(conversationId, 'heads', { [conversationId]: rev });
    }
  }
}
