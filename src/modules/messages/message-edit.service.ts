import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import type { Tx } from '../../platform/database/db.js';
import { epochMs } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { sqlStateOf } from '../../platform/database/database-error.js';
import { invalidState, validationFailed } from '../../platform/errors/domain-error.js';
import { ConversationsService, type Membership } from '../conversations/conversations.service.js';
import { bindMedia } from './conversation-source.repository.js';
import { DraftService } from './draft.service.js';
import type { DeleteMessage, EditMessage } from './dto/change-message.dto.js';
import { hasVisibleCharacter } from './dto/send-message.dto.js';
import { bury, setAttachments, setContent } from './message-change.repository.js';
import { type Change, type Changed, MessageChangeService } from './message-change.service.js';
import { editWindowClosed, mediaUnusable, messageDeleted, roleInsufficient, staleRev } from './messages.errors.js';
import { MessageDeleted, MessageUpdated } from './messages.events.js';
import type { FullMessageRow } from './messages.repository.js';
import { checkLimits } from './messages.rules.js';
import { ModerationHook } from './moderation-hook.service.js';

/** Edits and deletions. Both are idempotent by state: what is so already is no change. */
@Injectable()
export class MessageEditService {
  constructor(
    private readonly conversations: ConversationsService,
    private readonly messages: MessageChangeService,
    private readonly drafts: DraftService,
    private readonly moderation: ModerationHook,
    private readonly config: Config,
  ) {}

  /** By the sender alone. @throws role_insufficient, edit_window_closed, message_deleted, stale_rev, invalid_state, message_rejected */
  async edit(actor: Actor, input: EditMessage): Promise<Changed> {
    const member = await this.conversations.requireMember(actor, input.c);
    checkLimits(input, this.config);
    const mentions = input.mentions && (await this.drafts.membersAmong(input.c, input.mentions));
    const body = input.body === undefined ? undefined : await this.review(actor, input, input.body);
    const wanted = { ...input, body, mentions };
    try {
      return await this.messages.apply(actor, placeOf(input, member), (row) => this.planEdit(actor, row, wanted));
    } catch (error) {
      throw sqlStateOf(error) === 'PA422' ? mediaUnusable() : error;
    }
  }

  /** By the sender, or by who moderates the conversation. @throws role_insufficient, stale_rev, invalid_state */
  async delete(actor: Actor, input: DeleteMessage): Promise<Changed> {
    const member = await this.conversations.requireMember(actor, input.c);
    return this.messages.apply(actor, placeOf(input, member), (row) => {
      if (row.kind === 'system') throw invalidState('System messages cannot be deleted');
      if (row.senderId !== actor.userId && !this.conversations.mayModerate(member))
        throw roleInsufficient('Only the sender or an admin');
      return planDelete(row, actor.userId, input.ifRev);
    });
  }

  /** On behalf of Parley: by a moderator of the installation, or when an account is erased. */
  async remove(
    by: string | null,
    c: string,
    seq: number,
    /** Writes along with the deletion, if there is one. */
    record: (row: FullMessageRow, tx: Tx) => Promise<void> = async () => undefined,
  ): Promise<Changed> {
    return this.messages.apply(null, { c, seq, visibleFromSeq: 1 }, (row) => {
      if (row.kind === 'system') throw invalidState('System messages cannot be deleted');
      const deletion = planDelete(row, by, undefined);
      if (!deletion) return undefined;
      const write = async (tx: Tx): Promise<void> => {
        await deletion.write(tx);
        await record(row, tx);
      };
      return { ...deletion, write };
    });
  }

  private planEdit(
    actor: Actor,
    row: FullMessageRow,
    input: Omit<EditMessage, 'body'> & { body?: string | null | undefined },
  ): Change | undefined {
    // First of all: a system message has no sender to be.
    if (row.kind === 'system' || row.kind === 'call') throw invalidState('Only messages of people can be edited');
    if (row.senderId !== actor.userId) throw roleInsufficient('Only the sender');
    if (row.deletedAt) throw messageDeleted();
    if (input.meta !== undefined && row.kind !== 'custom') {
      throw validationFailed({ path: 'meta', code: 'not_allowed', message: 'Only for kind custom' });
    }
    const content = {
      body: input.body === undefined ? row.body : input.body,
      meta: input.meta ?? row.meta,
      mentions: input.mentions ?? row.mentions,
    };
    const before = row.attachmentIds ?? [];
    const files = input.attachmentIds ?? before;
    if (row.kind === 'text' && files.length === 0 && !hasVisibleCharacter(content.body ?? '')) {
      throw validationFailed({ path: 'body', code: 'too_short', message: 'At least one visible character' });
    }
    const same = isDeepStrictEqual(
      { ...content, files },
      { body: row.body, meta: row.meta, mentions: row.mentions, files: before },
    );
    if (same) return undefined;
    if (input.ifRev !== undefined && input.ifRev !== row.rev) throw staleRev();
    if (this.config.EDIT_WINDOW > 0 && epochMs() - row.createdAt.getTime() > this.config.EDIT_WINDOW * 1000)
      throw editWindowClosed();
    return {
      write: async (tx) => {
        await setContent(tx, row.conversationId, row.seq, content);
        if (isDeepStrictEqual(files, before)) return;
        const added = files.filter((id) => !before.includes(id));
        if (added.length > 0) await bindMedia(tx, actor.userId, added);
        await setAttachments(tx, row.conversationId, row.seq, files);
      },
      event: (changed) => new MessageUpdated(changed),
    };
  }

  private review(actor: Actor, { c, attachmentIds }: EditMessage, body: string): Promise<string | null> {
    return this.moderation.review({
      conversationId: c,
      senderId: actor.userId,
      kind: 'text',
      body,
      attachmentIds: attachmentIds ?? [],
    });
  }
}

const placeOf = ({ c, seq }: { c: string; seq: number }, { visibleFromSeq }: Membership) => ({
  c,
  seq,
  visibleFromSeq,
});

function planDelete(row: FullMessageRow, by: string | null, ifRev: number | undefined): Change | undefined {
  if (row.deletedAt) return undefined;
  if (ifRev !== undefined && ifRev !== row.rev) throw staleRev();
  return {
    write: (tx) => bury(tx, row.conversationId, row.seq, by),
    event: (changed) => new MessageDeleted(changed),
    uncounts: row.counts,
    ...(row.threadId === null ? {} : { leavesThread: row.threadId }),
  };
}
