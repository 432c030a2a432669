import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { newId } from '../../platform/clock/clock.js';
import type { Db, Tx } from '../../platform/database/db.js';
import { EventsService } from '../../platform/events/events.service.js';
import {
  ConversationsService,
  type MessageSource,
  type ReadPosition,
  type SystemMessage,
} from '../conversations/conversations.service.js';
import { MediaService } from '../media/media.service.js';
import { toMessageView } from './dto/message.view.js';
import { countMentions, countUnread, insertSystem, locate } from './conversation-source.repository.js';
import { MessageCreated } from './messages.events.js';
import { ThreadsService } from './threads.service.js';

/** What conversations, which stand below, ask of messages. */
@Injectable()
export class ConversationSource implements MessageSource, OnModuleInit {
  constructor(
    private readonly conversations: ConversationsService,
    private readonly threads: ThreadsService,
    private readonly events: EventsService,
    private readonly media: MediaService,
  ) {}

  onModuleInit(): void {
    this.conversations.registerMessages(this);
  }

  async writeSystem(message: SystemMessage, tx: Tx): Promise<void> {
    const row = await insertSystem(tx, newId(), message);
    await this.events.publish(tx, new MessageCreated(row), toMessageView(row));
  }

  locate(
    positions: readonly { conversationId: string; seq: number }[],
    db: Db,
  ): Promise<{ seq: number; ord: number }[]> {
    return locate(db, positions);
  }

  countUnread(positions: readonly ReadPosition[], cap: number, db: Db): Promise<number[]> {
    return countUnread(db, positions, cap);
  }

  countMentions(positions: readonly ReadPosition[], db: Db): Promise<number[]> {
    return countMentions(db, positions);
  }

  async readThread(actor: Actor, threadId: string, seq: number): Promise<{ readSeq: number; unread: number }> {
    return this.threads.read(actor, threadId, seq);
  }

  /** @throws validation_failed unless it is a usable avatar of the actor's own */
  bindAvatar(actor: Actor, mediaId: string, tx: Tx): Promise<void> {
    return this.media.bindAvatar(actor.userId, mediaId, tx);
  }
}
