import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Coalescer } from '../../platform/database/coalescer.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db, Tx } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import type { Page } from '../../platform/http/cursor.js';
import { atLeast, type ConversationType } from './conversations.rules.js';
import { type HeadCounters, listHeads, listMisplacedWatermarks, listReadMarks } from './consistency.repository.js';
import { roleInsufficient } from './conversations.errors.js';
import { ConversationViewsService, type SyncEntry } from './conversation-views.service.js';
import { ConversationsRepository, type Head, type Step } from './conversations.repository.js';
import type { ConversationDetailView } from './dto/conversation.view.js';
import { DepartureService } from './departure.service.js';
import { type MemberView, toMemberView } from './dto/member.view.js';
import type { MeView } from './dto/me.view.js';
import type { InspectedConversation, OverseenConversation } from './dto/oversight.view.js';
import { EditingService } from './editing.service.js';
import { type Membership, MembersRepository, type Place, type Recipient } from './members.repository.js';
import { type MessageSource, MessageSourceService } from './message-source.service.js';
import { type Receipt, ReceiptsService, type ReceiptTuple } from './receipts.service.js';
import { type OversightQuery, OversightService } from './oversight.service.js';
import { type Badges, UnreadService } from './unread.service.js';

export type { HeadCounters } from './consistency.repository.js';
export type { Head, Step } from './conversations.repository.js';
export type { Membership, Place, Recipient } from './members.repository.js';
export type { MessageSource, ReadPosition, SystemMessage } from './message-source.service.js';
export type { OversightQuery } from './oversight.service.js';
export type { Receipt, ReceiptTuple } from './receipts.service.js';
export type { SyncEntry } from './conversation-views.service.js';
export type { Badges } from './unread.service.js';

/** What other modules ask of conversations. The use cases of conversations themselves stand in the services beside this one. */
@Injectable()
export class ConversationsService {
  /** Every send asks: those of the same moment ask together. */
  private readonly lookup = new Coalescer<{ conversationId: string; userId: string }, Membership | undefined>((keys) =>
    this.members.findManyActive(this.database, keys),
  );

  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsRepository,
    private readonly members: MembersRepository,
    private readonly source: MessageSourceService,
    private readonly receipts: ReceiptsService,
    private readonly viewing: ConversationViewsService,
    private readonly unread: UnreadService,
    private readonly editing: EditingService,
    private readonly departures: DepartureService,
    private readonly oversight: OversightService,
  ) {}

  /** For the module that owns notifications: how many of a user's are unread. */
  registerNotifications(count: (userId: string) => Promise<number>): void {
    this.unread.useNotifications(count);
  }

  /** For the module that owns messages, in its `onModuleInit`. */
  registerMessages(source: MessageSource): void {
    this.source.register(source);
  }

  /** For the module that knows which sockets are in use: what these receive needs no push. */
  registerActivity(isActive: (socketId: string) => boolean): void {
    this.receipts.useActivity(isActive);
  }

  /** Counters of all conversations, a page after an id; for `parley verify`. */
  heads(db: Db, after: string | null, limit: number): Promise<HeadCounters[]> {
    return listHeads(db, after, limit);
  }

  /** Watermarks that contradict their heads, and read positions with the unread that follows from counters alone. */
  async readState(db: Db, ids: readonly string[]) {
    return { misplaced: await listMisplacedWatermarks(db, ids), marks: await listReadMarks(db, ids) };
  }

  /**
   * The actor's active membership; conversations that are deleted have none.
   * @throws not_found for strangers, former members and unknown ids alike
   */
  async requireMember({ userId }: Actor, conversationId: string, db?: Db): Promise<Membership> {
    const member = db
      ? await this.members.findActive(db, conversationId, userId)
      : await this.lookup.ask({ conversationId, userId });
    if (!member) throw notFound();
    return member;
  }

  /** Whether the settings let this member write. Blocks are the sender's business: they are between users. */
  mayPost(member: Membership): boolean {
    return atLeast(member.role, member.settings.whoCanPost);
  }

  /** @throws role_insufficient */
  assertMayPost(member: Membership): void {
    if (!this.mayPost(member)) throw roleInsufficient();
  }

  /** @throws role_insufficient */
  assertMayPin(member: Membership): void {
    if (!atLeast(member.role, member.settings.whoCanPin)) throw roleInsufficient();
  }

  mayMentionAll(member: Membership): boolean {
    return atLeast(member.role, member.settings.whoCanMentionAll);
  }

  /** @throws role_insufficient */
  assertMayMentionAll(member: Membership): void {
    if (!this.mayMentionAll(member)) throw roleInsufficient();
  }

  /** Whether this member may act on what others wrote: admins and owners, and nobody in a direct conversation. */
  mayModerate(member: Membership): boolean {
    return member.type !== 'direct' && atLeast(member.role, 'admin');
  }

  /**
   * Draws numbers for changes off the hot path and answers the head before the step; the caller's rows are `seq + 1` and
   * so on. Takes the head's lock, so call it before any other lock of the transaction.
   * @throws not_found when the conversation is gone or an actor is no active member
   */
  async advance(tx: Tx, step: Step): Promise<Head> {
    return this.conversations.advance(tx, step);
  }

  /** Those of `userIds` who are active members. */
  async activeAmong(conversationId: string, userIds: readonly string[], db: Db = this.database): Promise<Set<string>> {
    return this.members.activeAmong(db, conversationId, userIds);
  }

  /** Every active member; at most 10,000 ids. */
  async activeMemberIds(conversationId: string, db: Db = this.database): Promise<string[]> {
    return this.members.activeIds(db, conversationId);
  }

  /** Every conversation the user is an active member of; at most 2,000 ids. */
  async conversationIdsOf(userId: string, db: Db = this.database): Promise<string[]> {
    return this.members.conversationIdsOf(db, userId);
  }

  /** Those of `others` who share an active conversation with the user. */
  async sharing(userId: string, others: readonly string[], db: Db = this.database): Promise<Set<string>> {
    return this.members.sharing(db, userId, others);
  }

  /** What decides whether they are notified, for those of the places where the user is an active member. */
  async recipientsAt(places: readonly Place[], db: Db = this.database): Promise<Recipient[]> {
    return this.members.recipientsAt(db, places);
  }

  /** Undefined for an unknown conversation. */
  async typeOf(conversationId: string): Promise<ConversationType | undefined> {
    return (await this.conversations.find(this.database, conversationId))?.type;
  }

  /** Number of active members. */
  async memberCount(conversationId: string, db: Db = this.database): Promise<number> {
    return this.members.countActive(db, conversationId);
  }

  /** The same of many; no entry where there are none. */
  async memberCounts(conversationIds: readonly string[], db: Db = this.database): Promise<Map<string, number>> {
    return this.members.countsActive(db, conversationIds);
  }

  /** Merges watermarks: nothing falls, positions above the head are clamped, `read` raises `delivered`. Strangers are passed over. */
  async markReceipts(receipts: readonly Receipt[]): Promise<void> {
    await this.receipts.mark(receipts);
  }

  /** The caller's side of a conversation. @throws not_found */
  async me(actor: Actor, conversationId: string, db: Db = this.database): Promise<MeView> {
    return this.viewing.me(actor.userId, conversationId, db);
  }

  /** What is unread over all conversations that are neither muted nor archived, by user; nobody with nothing is in it. */
  async badgesOf(userIds: readonly string[], db: Db = this.database): Promise<Map<string, Badges>> {
    return this.unread.badges(userIds, db);
  }

  /** Active conversations by id, from `after` on, each with head and own state from one snapshot. */
  async syncEntries(actor: Actor, after: string | null, limit: number, db: Db = this.database): Promise<SyncEntry[]> {
    return this.viewing.syncEntries(actor, after, limit, db);
  }

  /** Full views of conversations the actor is an active member of; others are absent. */
  async views(actor: Actor, ids: readonly string[], db: Db = this.database): Promise<ConversationDetailView[]> {
    return this.viewing.details(actor, ids, db);
  }

  /** Those of `ids` in which the actor is not an active member (any more). */
  async gone(actor: Actor, ids: readonly string[], db: Db = this.database): Promise<string[]> {
    if (ids.length === 0) return [];
    const present = await this.members.activeIn(db, actor.userId, ids);
    return ids.filter((id) => !present.has(id));
  }

  /** `[userId, delivered, read]` of the active members of each conversation, as the actor may see them. */
  async receiptsOf(actor: Actor, ids: readonly string[], db: Db = this.database): Promise<Map<string, ReceiptTuple[]>> {
    return this.receipts.of(actor, ids, db);
  }

  /** The first members of each conversation, for a client that starts anew. */
  async firstMembers(
    conversationIds: readonly string[],
    limit: number,
    db: Db = this.database,
  ): Promise<Map<string, MemberView[]>> {
    const rows = await this.members.firstOf(db, conversationIds, limit);
    return Map.groupBy(rows.map(toMemberView), ({ conversationId }) => conversationId);
  }

  /** For moderation: every conversation, deleted ones included. @throws forbidden, invalid_cursor */
  oversee(actor: Actor, query: OversightQuery): Promise<Page<OverseenConversation>> {
    return this.oversight.list(actor, query);
  }

  /** For moderation: counters, watermarks, recent revs. @throws forbidden, not_found */
  inspect(actor: Actor, conversationId: string): Promise<InspectedConversation> {
    return this.oversight.inspect(actor, conversationId);
  }

  /** For moderation. @throws forbidden, not_found */
  deleteAsModerator(actor: Actor, conversationId: string, tx: Tx): Promise<void> {
    return this.editing.deleteAsModerator(actor, conversationId, tx);
  }

  /** For moderation. @throws forbidden, not_found, last_owner */
  removeAsModerator(actor: Actor, conversationId: string, userId: string, tx: Tx): Promise<void> {
    return this.departures.removeAsModerator(actor, conversationId, userId, tx);
  }
}
