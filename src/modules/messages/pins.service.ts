import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { encodeCursor, type Page, type PageQuery, toPage, decodeCursor } from '../../platform/http/cursor.js';
import { z } from 'zod';
import { ConversationsService } from '../conversations/conversations.service.js';
import type { MessageView } from './dto/message.view.js';
import { countPins, setPin } from './message-change.repository.js';
import { MessageChangeService } from './message-change.service.js';
import { MessageViews } from './message-views.service.js';
import { limitExceeded, messageDeleted } from './messages.errors.js';
import { MessageUpdated } from './messages.events.js';
import { listPinned } from './messages.repository.js';

const MAX_PINS = 50;
const LIST = 'pins';
const cursorShape = z.tuple([z.iso.datetime(), z.number().int()]);

/** Messages a conversation keeps at hand. */
@Injectable()
export class PinsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly messages: MessageChangeService,
    private readonly views: MessageViews,
  ) {}

  /** @throws not_found, role_insufficient, message_deleted, limit_exceeded */
  async set(actor: Actor, c: string, seq: number, on: boolean): Promise<{ rev: number; changed: boolean }> {
    const member = await this.conversations.requireMember(actor, c);
    this.conversations.assertMayPin(member);
    const { message, changed } = await this.messages.apply(
      actor,
      { c, seq, visibleFromSeq: member.visibleFromSeq },
      async (row, db) => {
        if (row.deletedAt) throw messageDeleted();
        if ((row.pinnedAt !== null) === on) return undefined;
        if (on && (await countPins(db, c)) >= MAX_PINS) throw limitExceeded('pins', MAX_PINS);
        return {
          write: (tx) => setPin(tx, c, seq, on ? actor.userId : null),
          event: (changedRow) => new MessageUpdated(changedRow),
        };
      },
    );
    return { rev: message.rev, changed };
  }

  /** The latest pin first. */
  async list(actor: Actor, c: string, { cursor, limit }: PageQuery): Promise<Page<MessageView>> {
    const { visibleFromSeq } = await this.conversations.requireMember(actor, c);
    const before = cursor === undefined ? null : decodeCursor(LIST, cursor, cursorShape);
    const rows = await listPinned(this.database, c, visibleFromSeq, before, limit + 1);
    const views = new Map((await this.views.of(rows, this.database)).map((view) => [view.seq, view]));
    const page = toPage(
      rows,
      limit,
      (row) => row.seq,
      (row) => encodeCursor(LIST, [row.pinnedAt?.toISOString() ?? '', row.seq]),
    );
    return { ...page, items: page.items.flatMap((seq) => views.get(seq) ?? []) };
  }
}
