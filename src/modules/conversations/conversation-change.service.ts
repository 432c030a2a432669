import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { UserFeedAdvanced } from '../users/users.events.js';
import { limitExceeded } from './conversations.errors.js';
import { type Entrance, MemberAdded } from './conversations.events.js';
import { ConversationsRepository, type ConversationRow, type Head } from './conversations.repository.js';
import { isTold, MAX_CONVERSATIONS_PER_USER, type Role, visibleFrom } from './conversations.rules.js';
import { type ChangedMember, MemberChangesRepository } from './member-changes.repository.js';
import type { MemberRow } from './members.repository.js';
import { MessageSourceService, type SystemMessage } from './message-source.service.js';

/** A conversation nobody else can change until the transaction ends, with the memberships that were asked for. */
export interface Held {
  conversation: ConversationRow;
  members: ReadonlyMap<string, MemberRow>;
}

/** In whose name something happens: an actor, or a user whose account has ended. */
export type Someone = Pick<Actor, 'userId'>;

export type Happening = Pick<SystemMessage, 'type' | 'targetIds' | 'data'>;

/** The steps every change of a conversation is made of, in the order that locks demand (protocol, rule 7.3). */
@Injectable()
export class ConversationChangeService {
  constructor(
    private readonly config: Config,
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly conversations: ConversationsRepository,
    private readonly members: MemberChangesRepository,
    private readonly source: MessageSourceService,
  ) {}

  /**
   * Runs `work` while the conversation stands still, with the membership of the actor and those of `toWrite`, which alone
   * may be written; in a transaction of its own, or in `tx`.
   * @throws not_found when it does not exist or, unless `open`, the actor is no active member
   */
  async hold<Result>(
    actor: Someone,
    conversationId: string,
    toWrite: readonly string[],
    work: (held: Held, tx: Tx) => Promise<Result>,
    { open = false, tx: own }: { open?: boolean; tx?: Tx } = {},
  ): Promise<Result> {
    const held = async (tx: Tx): Promise<Result> => {
      const head = await this.conversations.lock(tx, conversationId, open ? undefined : actor.userId);
      const conversation = head && (await this.conversations.find(tx, conversationId));
      if (!conversation || conversation.deletedAt) throw notFound();
      const members = await this.members.read(tx, conversationId, actor.userId, toWrite);
      if (!open && members.get(actor.userId)?.state !== 'active') throw notFound();
      return work({ conversation, members }, tx);
    };
    return own ? held(own) : this.database.tx(held);
  }

  /**
   * Draws a rev for each of `rows` changed rows and numbers for what is told in the conversation, and writes the latter.
   * Answers the head before and after; the rows are `before.rev + 1` and so on.
   */
  async draw(
    actor: Someone,
    { id, type }: ConversationRow,
    rows: number,
    happenings: readonly Happening[],
    tx: Tx,
  ): Promise<{ before: Head; after: Head }> {
    const told = this.toldOf(type, happenings);
    const before = await this.conversations.advance(tx, {
      conversationId: id,
      seqs: told.length,
      revs: rows + told.length,
    });
    await this.tell(actor, id, before, rows, told, tx);
    return { before, after: { seq: before.seq + told.length, ord: before.ord, rev: before.rev + rows + told.length } };
  }

  /** Those that become messages in a conversation of this type. */
  toldOf(type: ConversationRow['type'], happenings: readonly Happening[]): Happening[] {
    return this.source.present ? happenings.filter((happening) => isTold(type, happening.type)) : [];
  }

  /** Writes the messages whose numbers follow `before` and the revs of `rows` rows. */
  async tell(
    actor: Someone,
    conversationId: string,
    before: Head,
    rows: number,
    told: readonly Happening[],
    tx: Tx,
  ): Promise<void> {
    for (const [i, happening] of told.entries()) {
      const numbers = { seq: before.seq + 1 + i, ord: before.ord, rev: before.rev + rows + 1 + i };
      await this.source.writeSystem({ conversationId, actorId: actor.userId, ...happening, ...numbers }, tx);
    }
  }

  /** Makes users members of a conversation that is held, as one step of k revs. @throws limit_exceeded */
  async admit(
    actor: Someone,
    conversation: ConversationRow,
    entrants: readonly { userId: string; role: Role }[],
    how: { entrance: Entrance; invitedBy: string | null; happening: Happening },
    tx: Tx,
  ): Promise<ChangedMember[]> {
    const max = conversation.type === 'channel' ? this.config.CHANNEL_MAX_MEMBERS : this.config.GROUP_MAX_MEMBERS;
    const { active } = await this.members.count(tx, conversation.id);
    if (active + entrants.length > max) throw limitExceeded('members', max);
    const { before, after } = await this.draw(actor, conversation, entrants.length, [how.happening], tx);
    return this.enter(actor, conversation, entrants, { ...how, before, after, firstRev: before.rev + 1 }, tx);
  }

  /** The second half of it, with the numbers drawn. */
  async enter(
    actor: Someone,
    conversation: ConversationRow,
    entrants: readonly { userId: string; role: Role }[],
    how: { entrance: Entrance; invitedBy: string | null; before: Head; after: Head; firstRev: number },
    tx: Tx,
  ): Promise<ChangedMember[]> {
    const userIds = entrants.map(({ userId }) => userId);
    const rows = await this.members.enter(tx, {
      conversationId: conversation.id,
      userIds,
      roles: entrants.map(({ role }) => role),
      firstRev: how.firstRev,
      readSeq: how.after.seq,
      readOrd: how.after.ord,
      visibleFromSeq: visibleFrom(conversation.settings, how.before.seq),
      invitedBy: how.invitedBy,
    });
    const overfull = await this.members.overfull(tx, userIds, MAX_CONVERSATIONS_PER_USER);
    if (overfull.length > 0) throw limitExceeded('conversations', MAX_CONVERSATIONS_PER_USER);
    await this.events.publish(tx, new MemberAdded(conversation.id, how.after.rev, actor.userId, userIds, how.entrance));
    this.notifyUsers(rows, tx);
    return rows;
  }

  /** After the commit: the feeds of these users have moved. */
  notifyUsers(rows: readonly { userId: string; userRev: number }[], tx: Tx): void {
    tx.afterCommit(() => {
      for (const { userId, userRev } of rows) this.events.announce(new UserFeedAdvanced(userId, userRev));
    });
  }
}
