import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { UsersService } from '../users/users.service.js';
import { ConversationViewsService } from './conversation-views.service.js';
import { ConversationsRepository } from './conversations.repository.js';
import { DraftsRepository } from './drafts.repository.js';
import { toDraftView } from './dto/draft.view.js';

const PAGE = 100;

/** What an archive of a user's data holds of conversations: those they are in, with their own flags, and their drafts. */
@Injectable()
export class ArchiveService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly users: UsersService,
    private readonly conversations: ConversationsRepository,
    private readonly drafts: DraftsRepository,
    private readonly views: ConversationViewsService,
  ) {}

  onModuleInit(): void {
    this.users.addExportSource((userId) => this.rowsOf(userId));
  }

  private async *rowsOf(userId: string) {
    for (let after: string | null = null; ;) {
      const rows = await this.conversations.after(this.database, userId, after, PAGE);
      for (const view of await this.views.toDetails(rows)) yield { ...view, kind: view.type, type: 'conversation' };
      after = rows.at(-1)?.id ?? null;
      if (rows.length < PAGE) break;
    }
    for (let before: number | null = null; ;) {
      const rows = await this.drafts.list(this.database, userId, before, PAGE);
      for (const row of rows) yield { type: 'draft', ...toDraftView(row) };
      before = rows.at(-1)?.rev ?? null;
      if (rows.length < PAGE) break;
    }
  }
}
