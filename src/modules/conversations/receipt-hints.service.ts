import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { EventsService } from '../../platform/events/events.service.js';
import { Log } from '../../platform/logging/log.js';
import { LIVELY_ROOM } from './conversations.rules.js';
import { type ReceiptHint, ReceiptsMoved } from './conversations.events.js';
import { ReceiptsRepository, type Watermarks } from './receipts.repository.js';

const FLUSH_MS = 500;
/** Hints of one event, so that it fits into one notice of the bus. */
const PER_EVENT = 50;

/** Collects risen watermarks for half a second and tells everyone once: hints, which may be lost. */
@Injectable()
export class ReceiptHintsService {
  private readonly pending = new Map<string, Watermarks>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: DatabaseService,
    private readonly repository: ReceiptsRepository,
    private readonly events: EventsService,
    private readonly log: Log,
  ) {}

  add(watermarks: readonly Watermarks[]): void {
    for (const mark of watermarks) this.pending.set(`${mark.conversationId} ${mark.userId}`, mark);
    if (this.pending.size > 0) this.timer ??= setTimeout(() => void this.flush(), FLUSH_MS).unref();
  }

  /** Those of the users who neither show receipts nor see them. */
  async hiding(_userIds: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set();
  }

  private async flush(): Promise<void> {
    this.timer = undefined;
    const marks = [...this.pending.values()];
    this.pending.clear();
    try {
      const lively = await this.repository.withAtMost(this.database, [...new Set(marks.map((m) => m.conversationId))], LIVELY_ROOM);
      const hidden = await this.hiding(marks.map((m) => m.userId));
      const hints = marks.map(
        (m): ReceiptHint => [m.conversationId, m.userId, m.deliveredSeq, m.readSeq, lively.has(m.conversationId) && !hidden.has(m.userId)],
      );
      for (let i = 0; i < hints.length; i += PER_EVENT) this.events.hint(new ReceiptsMoved(hints.slice(i, i + PER_EVENT)));
    } catch (error) {
      this.log.warn('receipts.hint_failed', { count: marks.length, err: error });
    }
  }
}
