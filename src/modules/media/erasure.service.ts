import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import { EventsService } from '../../platform/events/events.service.js';
import { UsersService } from '../users/users.service.js';
import { toMediaView } from './dto/media.view.js';
import { MediaWithdrawn } from './media.events.js';
import { eraseOwned, listOwned } from './media.repository.js';

const PAGE = 200;

/** A person's files: listed in the archive of their data, and gone with the account. */
@Injectable()
export class ErasureService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly users: UsersService,
    private readonly events: EventsService,
  ) {}

  onModuleInit(): void {
    this.users.addExportSource((userId) => this.export(userId));
  }

  /** Repeatable. Nobody fetches the files from now on; the next sweep removes the bytes. */
  async erase(userId: string): Promise<void> {
    await this.database.tx(async (tx) => {
      for (const { id, bound } of await eraseOwned(tx, userId))
        if (bound) await this.events.publish(tx, new MediaWithdrawn(id, userId, 'deleted'));
    });
  }

  private async *export(userId: string) {
    for (let after: string | null = null; ;) {
      const rows = await listOwned(this.database, userId, after, PAGE);
      for (const row of rows) yield { type: 'media', ...toMediaView(row) };
      after = rows.at(-1)?.id ?? null;
      if (rows.length < PAGE) return;
    }
  }
}
