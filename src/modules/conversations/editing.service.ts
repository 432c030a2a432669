import { Injectable } from '@nestjs/common';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import type { Tx } from '../../platform/database/db.js';
import { validationFailed } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { requireMatch } from '../../platform/http/conditional.js';
import { ConversationChangeService, type Happening, type Held } from './conversation-change.service.js';
import { ConversationViewsService } from './conversation-views.service.js';
import { notInDirect, roleInsufficient } from './conversations.errors.js';
import { ConversationDeleted, ConversationUpdated } from './conversations.events.js';
import { ConversationsRepository, type ConversationRow } from './conversations.repository.js';
import { atLeast, type Settings } from './conversations.rules.js';
import type { UpdateConversation } from './dto/conversation.dto.js';
import { type ConversationDetailView, conversationEtag } from './dto/conversation.view.js';
import { MemberChangesRepository } from './member-changes.repository.js';
import { MessageSourceService } from './message-source.service.js';

/** Changing and deleting a conversation. */
@Injectable()
export class EditingService {
  constructor(
    private readonly events: EventsService,
    private readonly conversations: ConversationsRepository,
    private readonly members: MemberChangesRepository,
    private readonly changes: ConversationChangeService,
    private readonly views: ConversationViewsService,
    private readonly source: MessageSourceService,
  ) {}

  /**
   * Changes what is given; `ifMatch` is the header's value.
   * @throws not_found, invalid_state (direct), role_insufficient, precondition_failed
   */
  async update(actor: Actor, id: string, input: UpdateConversation, ifMatch: string): Promise<ConversationDetailView> {
    await this.changes.hold(actor, id, [], async ({ conversation, members }, tx) => {
      if (conversation.type === 'direct') throw notInDirect();
      if (!atLeast(members.get(actor.userId)?.role ?? 'member', 'admin')) throw roleInsufficient();
      requireMatch(ifMatch, conversationEtag(conversation));
      const next = merge(conversation, input);
      const fields = changedFields(conversation, next);
      if (fields.length === 0) return;
      if (next.avatarMediaId && fields.includes('avatarMediaId'))
        await this.source.bindAvatar(actor, next.avatarMediaId, tx);
      const { before, after } = await this.changes.draw(actor, conversation, 1, happeningsOf(conversation, next), tx);
      await this.conversations.update(tx, next, before.rev + 1);
      await this.events.publish(tx, new ConversationUpdated(id, after.rev, actor.userId));
    });
    return this.views.detail(actor, id);
  }

  /** @throws not_found, invalid_state (direct), role_insufficient */
  async delete(actor: Actor, id: string): Promise<void> {
    await this.changes.hold(actor, id, [], async (held, tx) => {
      if (held.conversation.type === 'direct') throw notInDirect();
      if (held.members.get(actor.userId)?.role !== 'owner') throw roleInsufficient();
      await this.end(actor, held, tx);
    });
  }

  /** Deletes any conversation, as moderation. @throws forbidden, not_found */
  async deleteAsModerator(actor: Actor, id: string, tx: Tx): Promise<void> {
    requirePermission(actor, 'conversations.moderate');
    await this.changes.hold(actor, id, [], (held) => this.end(actor, held, tx), { open: true, tx });
  }

  /** Everybody loses access with one rev. */
  private async end(actor: Actor, { conversation }: Held, tx: Tx): Promise<void> {
    const { before, after } = await this.changes.draw(actor, conversation, 1, [], tx);
    const userIds = await this.members.lockActive(tx, conversation.id);
    await this.conversations.markDeleted(tx, conversation.id, before.rev + 1);
    const ended = await this.members.endAll(tx, conversation.id, userIds, before.rev + 1);
    await this.events.publish(tx, new ConversationDeleted(conversation.id, after.rev, actor.userId));
    this.changes.notifyUsers(ended, tx);
  }
}

function merge(
  row: ConversationRow,
  { title, description, avatarMediaId, visibility, settings }: UpdateConversation,
): ConversationRow {
  if (visibility === 'public' && row.type !== 'channel') {
    throw validationFailed({ path: 'visibility', code: 'channels_only', message: 'Only channels can be public' });
  }
  return {
    ...row,
    title: title ?? row.title,
    description: description === undefined ? row.description : description || null,
    avatarMediaId: avatarMediaId === undefined ? row.avatarMediaId : avatarMediaId,
    visibility: visibility ?? row.visibility,
    settings: { ...row.settings, ...settings },
  };
}

const editable = ['title', 'description', 'avatarMediaId', 'visibility'] as const;

const changedFields = (before: ConversationRow, after: ConversationRow): string[] => [
  ...editable.filter((field) => before[field] !== after[field]),
  ...Object.keys(changedSettings(before, after)),
];

const changedSettings = (before: ConversationRow, after: ConversationRow): Partial<Settings> =>
  Object.fromEntries(
    Object.entries(after.settings).filter(([name, value]) => before.settings[name as keyof Settings] !== value),
  );

function happeningsOf(before: ConversationRow, after: ConversationRow): Happening[] {
  const happenings: Happening[] = [];
  if (before.title !== after.title)
    happenings.push({ type: 'title_changed', targetIds: [], data: { title: after.title } });
  const visibility = before.visibility === after.visibility ? {} : { visibility: after.visibility };
  const settings = { ...changedSettings(before, after), ...visibility };
  if (Object.keys(settings).length > 0) happenings.push({ type: 'settings_changed', targetIds: [], data: settings });
  return happenings;
}
