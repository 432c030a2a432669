import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { newId, newSecret } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { decodeCursor, encodeCursor, type Page, type PageQuery, toPage } from '../../platform/http/cursor.js';
import { ConversationChangeService } from './conversation-change.service.js';
import { ConversationViewsService } from './conversation-views.service.js';
import { inviteExpired, limitExceeded, notInDirect, roleInsufficient } from './conversations.errors.js';
import { ConversationsRepository } from './conversations.repository.js';
import { atLeast, MAX_INVITES } from './conversations.rules.js';
import type { CreateInvite } from './dto/invite.dto.js';
import {
  type InvitePreview,
  type InviteView,
  type JoinedView,
  type NewInviteView,
  toInviteView,
} from './dto/invite.view.js';
import { InvitesRepository, type InviteRow } from './invites.repository.js';
import { type Membership, MembersRepository } from './members.repository.js';

const CODE_BYTES = 18;
const idPosition = z.tuple([z.uuid()]);

/** Links that let their holders join. */
@Injectable()
export class InvitesService {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsRepository,
    private readonly members: MembersRepository,
    private readonly invites: InvitesRepository,
    private readonly changes: ConversationChangeService,
    private readonly views: ConversationViewsService,
  ) {}

  /** @throws not_found, invalid_state (direct), role_insufficient, limit_exceeded */
  async create(actor: Actor, conversationId: string, input: CreateInvite): Promise<NewInviteView> {
    const code = newSecret(CODE_BYTES);
    const row = await this.changes.hold(actor, conversationId, [], async ({ conversation, members }, tx) => {
      if (conversation.type === 'direct') throw notInDirect();
      // Making admins needs an owner, by link as well.
      const needed = input.role === 'admin' ? 'owner' : 'admin';
      if (!atLeast(members.get(actor.userId)?.role ?? 'member', needed)) throw roleInsufficient();
      if ((await this.invites.countUsable(tx, conversationId)) >= MAX_INVITES)
        throw limitExceeded('invites', MAX_INVITES);
      return this.invites.insert(tx, {
        id: newId(),
        conversationId,
        codeHash: hashOf(code),
        createdBy: actor.userId,
        ...input,
      });
    });
    return { ...toInviteView(row), code, url: `/?invite=${code}` };
  }

  /** @throws not_found, role_insufficient */
  async list(actor: Actor, conversationId: string, { cursor, limit }: PageQuery): Promise<Page<InviteView>> {
    const before = cursor === undefined ? null : decodeCursor('invites', cursor, idPosition)[0];
    await this.requireAdmin(actor, conversationId);
    const rows = await this.invites.list(this.database, conversationId, before, limit + 1);
    return toPage(rows, limit, toInviteView, (row) => encodeCursor('invites', [row.id]));
  }

  /** @throws not_found, role_insufficient */
  async revoke(actor: Actor, conversationId: string, inviteId: string): Promise<void> {
    await this.requireAdmin(actor, conversationId);
    if (!(await this.invites.revoke(this.database, conversationId, inviteId))) throw notFound();
  }

  /** @throws not_found, invite_expired */
  async preview(_actor: Actor, code: string): Promise<InvitePreview> {
    const invite = await this.require(code);
    if (!invite.usable) throw inviteExpired();
    const conversation = await this.conversations.find(this.database, invite.conversationId);
    if (!conversation) throw notFound();
    const { id, type, title, avatarMediaId } = conversation;
    const memberCount = await this.members.countActive(this.database, id);
    return { conversation: { id, type, title, avatarMediaId, memberCount }, expiresAt: invite.expiresAt.toISOString() };
  }

  /** Members keep what they are and use nothing up. @throws not_found, invite_expired, limit_exceeded */
  async accept(actor: Actor, code: string): Promise<JoinedView> {
    const invite = await this.require(code);
    const { conversationId, role, createdBy } = invite;
    const work: Parameters<typeof this.changes.hold<boolean>>[3] = async ({ conversation, members }, tx) => {
      if (members.get(actor.userId)?.state === 'active') return false;
      if (!(await this.invites.use(tx, invite.id))) throw inviteExpired();
      const happening = { type: 'member_joined' as const, targetIds: [], data: {} };
      await this.changes.admit(
        actor,
        conversation,
        [{ userId: actor.userId, role }],
        { entrance: 'invited', invitedBy: createdBy, happening },
        tx,
      );
      return true;
    };
    const joined = await this.changes.hold(actor, conversationId, [actor.userId], work, { open: true });
    return { conversation: await this.views.detail(actor, conversationId), joined };
  }

  private async require(code: string): Promise<InviteRow> {
    const invite = await this.invites.findByCode(this.database, hashOf(code));
    if (!invite) throw notFound();
    if (invite.gone) throw inviteExpired();
    return invite;
  }

  private async requireAdmin(actor: Actor, conversationId: string): Promise<Membership> {
    const member = await this.members.findActive(this.database, conversationId, actor.userId);
    if (!member) throw notFound();
    if (member.type === 'direct') throw notInDirect();
    if (!atLeast(member.role, 'admin')) throw roleInsufficient();
    return member;
  }
}

/** Codes are 144 random bits, so a plain hash cannot be searched. */
const hashOf = (code: string): string => createHash('sha256').update(code).digest('base64url');
