import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { decodeCursor, encodeCursor, type PageQuery, toPage } from '../../platform/http/cursor.js';
import { UsersService } from '../users/users.service.js';
import { ConversationChangeService } from './conversation-change.service.js';
import { ConversationViewsService } from './conversation-views.service.js';
import { lastOwner, notInDirect, roleInsufficient } from './conversations.errors.js';
import { MemberUpdated } from './conversations.events.js';
import { atLeast } from './conversations.rules.js';
import type { ConversationDetailView } from './dto/conversation.view.js';
import type { AddMembers, AddMembersAnswer, ChangeRole, MembersPage, UpdateMe } from './dto/member.dto.js';
import { type MemberView, toMemberView } from './dto/member.view.js';
import type { MeView } from './dto/me.view.js';
import { MemberChangesRepository } from './member-changes.repository.js';
import { MembersRepository } from './members.repository.js';

const userPosition = z.tuple([z.uuid()]);

/** Who is in a conversation: seeing, adding, joining, roles, and what members set for themselves. */
@Injectable()
export class MembersService {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly users: UsersService,
    private readonly members: MembersRepository,
    private readonly writes: MemberChangesRepository,
    private readonly changes: ConversationChangeService,
    private readonly views: ConversationViewsService,
  ) {}

  /** @throws not_found */
  async list(actor: Actor, conversationId: string, { cursor, limit }: PageQuery): Promise<MembersPage> {
    const after = cursor === undefined ? null : decodeCursor('members', cursor, userPosition)[0];
    if (!(await this.members.findActive(this.database, conversationId, actor.userId))) throw notFound();
    const rows = await this.members.page(this.database, conversationId, after, limit + 1);
    const count = await this.members.countActive(this.database, conversationId);
    return { ...toPage(rows, limit, toMemberView, (row) => encodeCursor('members', [row.userId])), count };
  }

  /**
   * Adds those who can be added and says of the others why not.
   * @throws not_found, invalid_state (direct), role_insufficient, limit_exceeded
   */
  async add(actor: Actor, conversationId: string, input: AddMembers): Promise<AddMembersAnswer> {
    const userIds = [...new Set(input.userIds)];
    await this.requireActive(actor, conversationId);
    const refusals = await this.users.mayAdd(actor, userIds);
    return this.changes.hold(actor, conversationId, userIds, async ({ conversation, members }, tx) => {
      if (conversation.type === 'direct') throw notInDirect();
      if (!atLeast(members.get(actor.userId)?.role ?? 'member', conversation.settings.whoCanInvite))
        throw roleInsufficient();
      const already = userIds.filter((id) => members.get(id)?.state === 'active');
      const others = userIds.filter((id) => !already.includes(id));
      const refused = others.flatMap((userId) => {
        const code = refusals.get(userId);
        return code ? [{ userId, code }] : [];
      });
      const welcome = others.filter((id) => !refusals.has(id));
      if (welcome.length === 0) return { added: [], already, refused };
      const happening = { type: 'member_added' as const, targetIds: welcome, data: {} };
      const entrants = welcome.map((userId) => ({ userId, role: 'member' as const }));
      const how = { entrance: 'added' as const, invitedBy: actor.userId, happening };
      const rows = await this.changes.admit(actor, conversation, entrants, how, tx);
      return { added: rows.map(toMemberView), already, refused };
    });
  }

  /** Joins a public channel. @throws not_found, limit_exceeded */
  async join(actor: Actor, conversationId: string): Promise<{ conversation: ConversationDetailView; joined: boolean }> {
    const work: Parameters<typeof this.changes.hold<boolean>>[3] = async ({ conversation, members }, tx) => {
      const open = conversation.type === 'channel' && conversation.visibility === 'public';
      if (members.get(actor.userId)?.state === 'active') return false;
      if (!open) throw notFound();
      const happening = { type: 'member_joined' as const, targetIds: [], data: {} };
      const how = { entrance: 'joined' as const, invitedBy: null, happening };
      await this.changes.admit(actor, conversation, [{ userId: actor.userId, role: 'member' }], how, tx);
      return true;
    };
    const joined = await this.changes.hold(actor, conversationId, [actor.userId], work, { open: true });
    return { conversation: await this.views.detail(actor, conversationId), joined };
  }

  /** @throws not_found, role_insufficient, last_owner */
  async changeRole(actor: Actor, conversationId: string, userId: string, { role }: ChangeRole): Promise<MemberView> {
    return this.changes.hold(actor, conversationId, [userId], async ({ conversation, members }, tx) => {
      if (members.get(actor.userId)?.role !== 'owner') throw roleInsufficient();
      const target = members.get(userId);
      if (target?.state !== 'active') throw notFound();
      if (target.role === role) return toMemberView(target);
      if (target.role === 'owner' && (await this.writes.count(tx, conversationId)).owners === 1) throw lastOwner();
      const happening = { type: 'role_changed' as const, targetIds: [userId], data: { role } };
      const { before, after } = await this.changes.draw(actor, conversation, 1, [happening], tx);
      const row = await this.writes.setRole(tx, conversationId, userId, role, before.rev + 1);
      await this.events.publish(tx, new MemberUpdated(conversationId, after.rev, actor.userId, userId));
      this.changes.notifyUsers([row], tx);
      return toMemberView(row);
    });
  }

  /** Sets the actor's own flags, which nobody else sees: a change of the actor's feed alone. @throws not_found */
  async updateMe(actor: Actor, conversationId: string, input: UpdateMe): Promise<MeView> {
    await this.database.tx(async (tx) => {
      const flags = await this.writes.lockFlags(tx, conversationId, actor.userId);
      if (!flags) throw notFound();
      const next = { ...flags, ...definedOf(input) };
      if (JSON.stringify(next) === JSON.stringify(flags)) return;
      const userRev = await this.writes.setFlags(tx, conversationId, actor.userId, next);
      this.changes.notifyUsers([{ userId: actor.userId, userRev }], tx);
    });
    return this.views.me(actor.userId, conversationId);
  }

  /** Strangers learn nothing about others and lock nothing. */
  private async requireActive(actor: Actor, conversationId: string, db: Db = this.database): Promise<void> {
    if (!(await this.members.findActive(db, conversationId, actor.userId))) throw notFound();
  }
}

const definedOf = <T extends object>(input: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as never;
