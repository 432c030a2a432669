import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db, Tx } from '../../platform/database/db.js';
import type { DomainEvent } from '../../platform/events/domain-event.js';
import { EventsService } from '../../platform/events/events.service.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import type { MessageView } from './dto/message.view.js';
import { toThreadView } from './dto/thread.view.js';
import { setRev } from './message-change.repository.js';
import { MessageViews } from './message-views.service.js';
import { notFound } from './messages.errors.js';
import { ThreadChanged } from './messages.events.js';
import { findBySeq, type FullMessageRow } from './messages.repository.js';
import { dropReply } from './threads.repository.js';

/** Something to do to a message. */
export interface Change {
  /** Writes everything but the message's rev, which stands by then. */
  write(tx: Tx): Promise<unknown>;
  event(row: FullMessageRow): DomainEvent;
  /** The message counted as unread and does no more. */
  uncounts?: boolean;
  /** The message was a reply and is none any more; its thread changes with it. */
  leavesThread?: string;
}

/** What to do to the message as it is, undefined when it is as it should be. Throws its refusals. */
export type Decide = (row: FullMessageRow, db: Db) => Promise<Change | undefined> | Change | undefined;

export interface Changed {
  message: MessageView;
  changed: boolean;
}

/** Rolls back a rev that nobody needs. */
class Unchanged extends Error {}

/**
 * The one way messages change after they were sent. Whether there is anything to do is decided first without a lock, so
 * that repeats and refusals draw no rev, and again under the head's lock, which orders all changes of a conversation.
 */
@Injectable()
export class MessageChangeService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly events: EventsService,
    private readonly views: MessageViews,
  ) {}

  /**
   * `actor` null is Parley itself; else an active member.
   * @throws not_found, and what `decide` throws
   */
  async apply(
    actor: Actor | null,
    place: { c: string; seq: number; visibleFromSeq: number },
    decide: Decide,
  ): Promise<Changed> {
    if (place.seq < place.visibleFromSeq) throw notFound();
    const change = await decide(await this.find(place, this.database), this.database);
    if (!change) return this.present(place);
    try {
      return await this.database.tx((tx) => this.write(actor, place, change, decide, tx));
    } catch (error) {
      if (error instanceof Unchanged) return this.present(place);
      throw error;
    }
  }

  private async write(
    actor: Actor | null,
    place: { c: string; seq: number },
    planned: Change,
    decide: Decide,
    tx: Tx,
  ): Promise<Changed> {
    const head = await this.conversations.advance(tx, {
      conversationId: place.c,
      revs: planned.leavesThread === undefined ? 1 : 2,
      deleteSeq: planned.uncounts ? place.seq : null,
      marks: actor ? [{ actorId: actor.userId, seq: 0, ord: 0, force: false }] : [],
    });
    const change = await decide(await this.find(place, tx), tx);
    if (!change) throw new Unchanged();
    await setRev(tx, place.c, place.seq, head.rev + 1);
    await change.write(tx);
    const row = await this.find(place, tx);
    const message = await this.views.ofOne(row, tx);
    await this.events.publish(tx, change.event(row), message);
    if (change.leavesThread !== undefined) {
      const thread = await dropReply(tx, change.leavesThread, head.rev + 2);
      if (thread) tx.afterCommit(() => this.events.announce(new ThreadChanged(thread), toThreadView(thread)));
    }
    return { message, changed: true };
  }

  private async present(place: { c: string; seq: number }): Promise<Changed> {
    return { message: await this.views.ofOne(await this.find(place, this.database), this.database), changed: false };
  }

  private async find({ c, seq }: { c: string; seq: number }, db: Db): Promise<FullMessageRow> {
    const row = await findBySeq(db, c, seq);
    if (!row) throw notFound();
    return row;
  }
}
