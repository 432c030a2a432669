import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { EventsService } from '../../platform/events/events.service.js';
import { Log } from '../../platform/logging/log.js';
import { RECEIPT_FLUSH_MS } from '../../platform/realtime/protocol.js';
import { UsersService } from '../users/users.service.js';
import { LIVELY_ROOM } from './conversations.rules.js';
import { type ReceiptHint, ReceiptsMoved } from './conversations.events.js';
import { MembersRepository } from './members.repository.js';
import type { Watermarks } from './receipts.repository.js';

/** Conversations of one event, so that it fits into one notice of the bus. */
const PER_EVENT = 20;

/** Collects risen watermarks for half a second and tells everyone once: hints, which may be lost. */
@Injectable()
export class ReceiptHintsService {
  private pending = new Map<string, Watermarks>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: DatabaseService,
    private readonly users: UsersService,
    private readonly members: MembersRepository,
    private readonly events: EventsService,
    private readonly log: Log,
  ) {}

  /** Later ones of a membership replace earlier ones: watermarks only rise. */
  add(watermarks: readonly Watermarks[]): void {
    for (const mark of watermarks) this.pending.set(`${mark.conversationId} ${mark.userId}`, mark);
    if (this.pending.size > 0) this.timer ??= setTimeout(() => void this.flush(), RECEIPT_FLUSH_MS).unref();
  }

  /** Those of the users who neither show receipts nor see them. */
  async hiding(userIds: readonly string[]): Promise<ReadonlySet<string>> {
    const preferences = await this.users.preferencesOf([...new Set(userIds)]);
    return new Set([...preferences].filter(([, { privacy }]) => !privacy.readReceipts).map(([id]) => id));
  }

  private async flush(): Promise<void> {
    this.timer = undefined;
    const marks = [...this.pending.values()];
    this.pending = new Map();
    try {
      const hints = await this.address(marks);
      for (let i = 0; i < hints.length; i += PER_EVENT)
        // With a view, which stays here: what follows from reading is done on the replica where it was read.
        this.events.hint(new ReceiptsMoved(hints.slice(i, i + PER_EVENT)), true);
    } catch (error) {
      this.log.warn('receipts.hint_failed', { count: marks.length, err: error });
    }
  }

  /** Who is told: small rooms, and the user's own devices always. */
  private async address(marks: readonly Watermarks[]): Promise<ReceiptHint[]> {
    const conversations = Map.groupBy(marks, ({ conversationId }) => conversationId);
    const small = await this.members.ofSmall(this.database, [...conversations.keys()], LIVELY_ROOM);
    const membersOf = new Map(small.map(({ conversationId, userIds }) => [conversationId, userIds]));
    const hidden = await this.hiding(small.flatMap(({ userIds }) => userIds));
    return [...conversations].map(([c, rows]) => {
      const members = membersOf.get(c);
      const hint: ReceiptHint = { c, room: [], except: members?.filter((id) => hidden.has(id)) ?? [], own: [] };
      for (const { userId, deliveredSeq, readSeq } of rows) {
        const target = members && !hidden.has(userId) ? hint.room : hint.own;
        target.push([userId, deliveredSeq, readSeq]);
      }
      return hint;
    });
  }
}
