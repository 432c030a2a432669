import { Injectable } from '@nestjs/common';
import { z } from 'zod';
import type { Actor } from '../../platform/auth/actor.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { notFound, validationFailed } from '../../platform/errors/domain-error.js';
import { characters } from '../../platform/http/text.js';
import { decodeCursor, encodeCursor, type Page, type PageQuery, toPage } from '../../platform/http/cursor.js';
import { ConversationChangeService } from './conversation-change.service.js';
import { DraftsRepository } from './drafts.repository.js';
import type { PutDraft } from './dto/draft.dto.js';
import { type DraftView, toDraftView } from './dto/draft.view.js';
import { MembersRepository } from './members.repository.js';

const revPosition = z.tuple([z.number().int().min(0)]);

/** Unfinished messages, shared by a user's devices: the last write wins. */
@Injectable()
export class DraftsService {
  constructor(
    private readonly config: Config,
    private readonly database: DatabaseService,
    private readonly members: MembersRepository,
    private readonly drafts: DraftsRepository,
    private readonly changes: ConversationChangeService,
  ) {}

  /** @throws not_found, validation_failed */
  async put(actor: Actor, conversationId: string, threadId: string | null, input: PutDraft): Promise<DraftView> {
    const { MESSAGE_MAX_CHARS, MESSAGE_MAX_ATTACHMENTS } = this.config;
    if (characters(input.body) > MESSAGE_MAX_CHARS) {
      throw validationFailed({ path: 'body', code: 'too_long', message: `At most ${MESSAGE_MAX_CHARS} characters` });
    }
    if (input.attachmentIds.length > MESSAGE_MAX_ATTACHMENTS) {
      throw validationFailed({
        path: 'attachmentIds',
        code: 'too_many',
        message: `At most ${MESSAGE_MAX_ATTACHMENTS}`,
      });
    }
    await this.requireMember(actor, conversationId);
    const row = await this.database.tx(async (tx) => {
      const written = await this.drafts.put(tx, { userId: actor.userId, conversationId, threadId }, input);
      this.changes.notifyUsers([{ userId: actor.userId, userRev: written.rev }], tx);
      return written;
    });
    return toDraftView(row);
  }

  /** Removing none is no change. @throws not_found when the actor is no member */
  async remove(actor: Actor, conversationId: string, threadId: string | null): Promise<void> {
    await this.requireMember(actor, conversationId);
    await this.database.tx(async (tx) => {
      const userRev = await this.drafts.remove(tx, { userId: actor.userId, conversationId, threadId });
      if (userRev !== undefined) this.changes.notifyUsers([{ userId: actor.userId, userRev }], tx);
    });
  }

  async list(actor: Actor, { cursor, limit }: PageQuery): Promise<Page<DraftView>> {
    const before = cursor === undefined ? null : decodeCursor('drafts', cursor, revPosition)[0];
    const rows = await this.drafts.list(this.database, actor.userId, before, limit + 1);
    return toPage(rows, limit, toDraftView, (row) => encodeCursor('drafts', [row.rev]));
  }

  private async requireMember(actor: Actor, conversationId: string): Promise<void> {
    if (!(await this.members.findActive(this.database, conversationId, actor.userId))) throw notFound();
  }
}
