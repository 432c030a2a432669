import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Coalescer } from '../../platform/database/coalescer.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { ConversationViewsService } from './conversation-views.service.js';
import type { MeView } from './dto/me.view.js';
import type { PutReceipt } from './dto/receipt.dto.js';
import { MembersRepository } from './members.repository.js';
import { MessageSourceService } from './message-source.service.js';
import { ReceiptHintsService } from './receipt-hints.service.js';
import { ReceiptsRepository } from './receipts.repository.js';

/** How far one member has got; absent members stay. `foreground` is what an active socket has received. */
export interface Receipt {
  conversationId: string;
  userId: string;
  delivered?: number | undefined;
  read?: number | undefined;
  foreground?: number | undefined;
}

/** `[userId, delivered, read]`. */
export type ReceiptTuple = [userId: string, delivered: number, read: number];

/** Receipts: watermarks that only rise. An idle process stores them at once, a busy one many together. */
@Injectable()
export class ReceiptsService {
  private readonly storing = new Coalescer<readonly Receipt[], void>((batches) => this.store(batches));
  private isActive: (socketId: string) => boolean = () => false;

  constructor(
    private readonly database: DatabaseService,
    private readonly repository: ReceiptsRepository,
    private readonly members: MembersRepository,
    private readonly source: MessageSourceService,
    private readonly hints: ReceiptHintsService,
    private readonly views: ConversationViewsService,
  ) {}

  useActivity(isActive: (socketId: string) => boolean): void {
    this.isActive = isActive;
  }

  /** Stores the actor's receipt and answers the new state; `socketId` where it came by a socket. @throws not_found */
  async put(actor: Actor, conversationId: string, input: PutReceipt, socketId?: string): Promise<MeView> {
    const seen = Math.max(input.delivered ?? 0, input.read ?? 0);
    const foreground = socketId !== undefined && this.isActive(socketId) ? seen : undefined;
    await this.mark([{ conversationId, userId: actor.userId, ...input, foreground }]);
    return this.views.me(actor.userId, conversationId);
  }

  /** How far the actor has read a thread. @throws not_found */
  readThread(actor: Actor, threadId: string, seq: number): Promise<{ readSeq: number; unread: number }> {
    return this.source.readThread(actor, threadId, seq);
  }

  /** What the actor may see of how far everybody is. @throws not_found */
  async list(actor: Actor, conversationId: string): Promise<ReceiptTuple[]> {
    if (!(await this.members.findActive(this.database, conversationId, actor.userId))) throw notFound();
    return (await this.of(actor, [conversationId])).get(conversationId) ?? [];
  }

  /** The same for several conversations the actor is known to be a member of. */
  async of(
    actor: Actor,
    conversationIds: readonly string[],
    db: Db = this.database,
  ): Promise<Map<string, ReceiptTuple[]>> {
    const rows = await this.repository.of(db, conversationIds);
    const hidden = await this.hints.hiding([actor.userId, ...rows.map((row) => row.userId)]);
    const result = new Map<string, ReceiptTuple[]>();
    for (const { conversationId, userId, deliveredSeq, readSeq } of rows) {
      const shown = userId === actor.userId || !(hidden.has(userId) || hidden.has(actor.userId));
      if (!shown) continue;
      const tuples = result.get(conversationId) ?? [];
      tuples.push([userId, deliveredSeq, readSeq]);
      result.set(conversationId, tuples);
    }
    return result;
  }

  /** Resolves when the receipts are stored. */
  async mark(receipts: readonly Receipt[]): Promise<void> {
    if (receipts.length > 0) await this.storing.ask(receipts);
  }

  private async store(batches: readonly (readonly Receipt[])[]): Promise<void[]> {
    const receipts = batches.flat();
    const reads = receipts.flatMap(({ conversationId, read }) =>
      read === undefined ? [] : [{ conversationId, seq: read }],
    );
    const located = (await this.source.locate(reads, this.database)).values();
    const marks = receipts.map(({ conversationId, userId, delivered = null, read, foreground = null }) => {
      // A position above the head becomes the last row there was, so that seq and ord belong to the same row.
      const row = read === undefined ? undefined : located.next().value;
      return { conversationId, userId, delivered, read: row?.seq ?? null, readOrd: row?.ord ?? null, foreground };
    });
    const watermarks = await this.repository.mark(this.database, marks);
    this.hints.add(watermarks.filter(({ moved }) => moved));
    return batches.map(() => undefined);
  }
}
