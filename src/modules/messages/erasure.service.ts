import { Injectable, type OnModuleInit } from '@nestjs/common';
import { sqlStateOf } from '../../platform/database/database-error.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { UsersService } from '../users/users.service.js';
import { dropScheduled, listOwn, listWrittenIn, type OwnMessage } from './erasure.repository.js';
import { bury } from './message-change.repository.js';
import { MessageEditService } from './message-edit.service.js';

const AT_ONCE = 200;

/** What a person has written: given to them as an archive, and turned into tombstones when the account is erased. */
@Injectable()
export class ErasureService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly users: UsersService,
    private readonly edits: MessageEditService,
  ) {}

  onModuleInit(): void {
    this.users.addExportSource((userId) => this.export(userId));
  }

  /** Repeatable: what is a tombstone already is passed over. */
  async erase({ key: userId }: DeliveredEvent): Promise<void> {
    await this.database.tx((tx) => dropScheduled(tx, userId));
    for await (const message of this.own(userId)) await this.remove(message, userId);
  }

  private async *export(userId: string) {
    for await (const { createdAt, editedAt, ...message } of this.own(userId)) {
      yield {
        type: 'message',
        ...message,
        createdAt: createdAt.toISOString(),
        editedAt: editedAt?.toISOString() ?? null,
      };
    }
  }

  private async *own(userId: string): AsyncGenerator<OwnMessage> {
    for (const conversationId of await listWrittenIn(this.database, userId)) {
      for (let after = 0, more = true; more;) {
        const page = await listOwn(this.database, conversationId, userId, after, AT_ONCE);
        yield* page;
        after = page.at(-1)?.seq ?? after;
        more = page.length === AT_ONCE;
      }
    }
  }

  private async remove({ conversationId, seq }: OwnMessage, userId: string): Promise<void> {
    try {
      await this.edits.remove(userId, conversationId, seq);
    } catch (error) {
      if (sqlStateOf(error) !== 'PA404') throw error;
      // The conversation is deleted: nobody is told, and no number is drawn.
      await this.database.tx((tx) => bury(tx, conversationId, seq, userId));
    }
  }
}
