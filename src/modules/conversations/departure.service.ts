import { Injectable } from '@nestjs/common';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { invalidState, notFound } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { ConversationChangeService, type Held, type Someone } from './conversation-change.service.js';
import { lastOwner, notInDirect, roleInsufficient } from './conversations.errors.js';
import { ConversationDeleted, MemberRemoved, MemberUpdated } from './conversations.events.js';
import { ConversationsRepository } from './conversations.repository.js';
import { atLeast, outranks } from './conversations.rules.js';
import { DraftsRepository } from './drafts.repository.js';
import { MemberChangesRepository } from './member-changes.repository.js';
import { type MemberRow, MembersRepository } from './members.repository.js';

/** How memberships end: leaving, being removed. From that rev on nothing reaches the user. */
@Injectable()
export class DepartureService {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly conversations: ConversationsRepository,
    private readonly memberships: MembersRepository,
    private readonly members: MemberChangesRepository,
    private readonly drafts: DraftsRepository,
    private readonly changes: ConversationChangeService,
  ) {}

  /**
   * Removes a member of lower rank, or the actor. When the last member leaves the conversation is deleted.
   * @throws not_found, invalid_state (direct), role_insufficient, last_owner
   */
  async remove(actor: Actor, conversationId: string, userId: string): Promise<void> {
    await this.changes.hold(actor, conversationId, [userId], async (held, tx) => {
      if (held.conversation.type === 'direct') throw notInDirect();
      const me = held.members.get(actor.userId);
      const target = held.members.get(userId);
      if (userId !== actor.userId && !atLeast(me?.role ?? 'member', 'admin')) throw roleInsufficient();
      if (target?.state !== 'active') throw notFound();
      if (userId !== actor.userId && !outranks(me?.role ?? 'member', target.role)) throw roleInsufficient();
      await this.end(actor, held, target, tx);
    });
  }

  /** Removes anybody, as moderation. @throws forbidden, not_found, last_owner */
  async removeAsModerator(actor: Actor, conversationId: string, userId: string, tx: Tx): Promise<void> {
    requirePermission(actor, 'conversations.moderate');
    const work = async (held: Held) => {
      const target = held.members.get(userId);
      if (target?.state !== 'active') throw notFound();
      await this.end(actor, held, target, tx);
    };
    await this.changes.hold(actor, conversationId, [userId], work, { open: true, tx });
  }

  /** Ends every membership of a user whose account is gone; what a last owner owned passes on first. Safe to repeat. */
  async endAll(userId: string): Promise<void> {
    for (const id of await this.memberships.conversationIdsOf(this.database, userId)) {
      await this.passOn(userId, id);
      await this.changes.hold({ userId }, id, [userId], async (held, tx) => {
        const member = held.members.get(userId);
        if (member) await this.end({ userId }, held, member, tx);
      });
    }
    await this.drafts.removeAll(this.database, userId);
  }

  private async passOn(userId: string, conversationId: string): Promise<void> {
    const heir = await this.memberships.heirOf(this.database, conversationId, userId);
    if (!heir) return;
    await this.changes.hold({ userId }, conversationId, [heir], async ({ conversation, members }, tx) => {
      const { owners } = await this.members.count(tx, conversationId);
      if (members.get(userId)?.role !== 'owner' || owners > 1) return;
      if (members.get(heir)?.state !== 'active') throw invalidState('The heir has left meanwhile');
      const happening = { type: 'role_changed' as const, targetIds: [heir], data: { role: 'owner' } };
      const { before, after } = await this.changes.draw({ userId }, conversation, 1, [happening], tx);
      const row = await this.members.setRole(tx, conversationId, heir, 'owner', before.rev + 1);
      await this.events.publish(tx, new MemberUpdated(conversationId, after.rev, userId, heir));
      this.changes.notifyUsers([row], tx);
    });
  }

  private async end(actor: Someone, { conversation }: Held, { userId, role }: MemberRow, tx: Tx): Promise<void> {
    const { active, owners } = await this.members.count(tx, conversation.id);
    const isLast = active === 1;
    if (role === 'owner' && owners === 1 && !isLast) throw lastOwner();
    const left = userId === actor.userId;
    const happening = left
      ? { type: 'member_left' as const, targetIds: [], data: {} }
      : { type: 'member_removed' as const, targetIds: [userId], data: {} };
    // Nobody remains who could read what is told about the last one.
    const { before, after } = await this.changes.draw(
      actor,
      conversation,
      isLast ? 2 : 1,
      isLast ? [] : [happening],
      tx,
    );
    const row = await this.members.setState(tx, conversation.id, userId, left ? 'left' : 'removed', before.rev + 1);
    await this.events.publish(tx, new MemberRemoved(conversation.id, after.rev, actor.userId, userId));
    if (isLast) {
      await this.conversations.markDeleted(tx, conversation.id, before.rev + 2);
      await this.events.publish(tx, new ConversationDeleted(conversation.id, after.rev, actor.userId));
    }
    this.changes.notifyUsers([row], tx);
  }
}
