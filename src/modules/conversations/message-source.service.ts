import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import type { Db, Tx } from '../../platform/database/db.js';
import { notFound, validationFailed } from '../../platform/errors/domain-error.js';
import type { SystemMessageType } from './conversations.rules.js';

/** One row of kind `system`. Its numbers are drawn already; `ord` is the head's, since system messages draw none. */
export interface SystemMessage {
  conversationId: string;
  seq: number;
  ord: number;
  rev: number;
  type: SystemMessageType;
  actorId: string;
  targetIds: string[];
  data: Record<string, unknown>;
}

/** A place in one reader's conversation: what comes after it is unread. */
export interface ReadPosition {
  conversationId: string;
  userId: string;
  readSeq: number;
}

/**
 * What conversations must ask of the module above that owns messages. Every method is one statement, whatever the number
 * of requests; answers stand in the order of the requests.
 */
export interface MessageSource {
  /** Inserts the row and its outbox entry `message.created` in the caller's transaction. */
  writeSystem(message: SystemMessage, tx: Tx): Promise<void>;
  /** The last row at or below each position, which so is clamped to the head; zeros where there is none. */
  locate(
    positions: readonly { conversationId: string; seq: number }[],
    db: Db,
  ): Promise<{ seq: number; ord: number }[]>;
  /** Live rows after `readSeq` that count as unread; counting stops at `cap` + 1. */
  countUnread(positions: readonly ReadPosition[], cap: number, db: Db): Promise<number[]>;
  /** Stores how far the user has read a thread. @throws not_found */
  readThread(actor: Actor, threadId: string, seq: number): Promise<{ readSeq: number; unread: number }>;
  /** Lets a file be shown as a conversation's avatar. @throws when it is not the actor's or no image */
  bindAvatar(actor: Actor, mediaId: string, tx: Tx): Promise<void>;
  /** Live messages after `readSeq` that mention the user, by name or as part of all. */
  countMentions(positions: readonly ReadPosition[], db: Db): Promise<number[]>;
}

/** Where the messages module registers itself (architecture, section 3, rule 3). Without it there are no messages to speak of. */
@Injectable()
export class MessageSourceService implements MessageSource {
  private source: MessageSource | undefined;

  register(source: MessageSource): void {
    this.source = source;
  }

  /** Whether system messages are written; nobody draws a number for a row that is not. */
  get present(): boolean {
    return this.source !== undefined;
  }

  async writeSystem(message: SystemMessage, tx: Tx): Promise<void> {
    await this.source?.writeSystem(message, tx);
  }

  async locate(
    positions: readonly { conversationId: string; seq: number }[],
    db: Db,
  ): Promise<{ seq: number; ord: number }[]> {
    return positions.length === 0 || !this.source
      ? positions.map(() => ({ seq: 0, ord: 0 }))
      : this.source.locate(positions, db);
  }

  async countUnread(positions: readonly ReadPosition[], cap: number, db: Db): Promise<number[]> {
    return positions.length === 0 || !this.source
      ? positions.map(() => 0)
      : this.source.countUnread(positions, cap, db);
  }

  async countMentions(positions: readonly ReadPosition[], db: Db): Promise<number[]> {
    return positions.length === 0 || !this.source ? positions.map(() => 0) : this.source.countMentions(positions, db);
  }

  async readThread(actor: Actor, threadId: string, seq: number): Promise<{ readSeq: number; unread: number }> {
    if (!this.source) throw notFound();
    return this.source.readThread(actor, threadId, seq);
  }

  async bindAvatar(actor: Actor, mediaId: string, tx: Tx): Promise<void> {
    if (!this.source) throw validationFailed({ path: 'avatarMediaId', code: 'unknown_media', message: 'No such file' });
    await this.source.bindAvatar(actor, mediaId, tx);
  }
}
