import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db } from '../../platform/database/db.js';
import { ConversationsService } from '../conversations/conversations.service.js';
import type { AttachmentView } from '../media/dto/attachment.view.js';
import { MediaService, type MediaUses } from '../media/media.service.js';
import { findShown, isShown } from './attachments.repository.js';

/** How messages see their files, and what they tell media, which stand below, about who may see them. */
@Injectable()
export class AttachmentReader implements MediaUses, OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly conversations: ConversationsService,
    private readonly media: MediaService,
  ) {}

  onModuleInit(): void {
    this.media.registerUses(this);
  }

  async read(mediaIds: readonly string[], db: Db): Promise<ReadonlyMap<string, AttachmentView>> {
    return mediaIds.length === 0 ? new Map() : this.media.attachments(mediaIds, db);
  }

  /** Whether a live message that the member can see has the file. */
  async showsTo(actor: Actor, mediaId: string): Promise<boolean> {
    const mine = await this.conversations.conversationIdsOf(actor.userId);
    for (const { conversationId, seq } of await findShown(this.database, mediaId, mine)) {
      const { visibleFromSeq } = await this.conversations.requireMember(actor, conversationId);
      if (seq >= visibleFromSeq) return true;
    }
    return false;
  }

  isShown(mediaId: string, db: Db): Promise<boolean> {
    return isShown(db, mediaId);
  }
}
