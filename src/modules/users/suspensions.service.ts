import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import { SessionsService } from './sessions.service.js';
import { UserSources } from './sources.service.js';
import { UserUpdated } from './users.events.js';
import { lockUser, reinstateUser, suspendUser, type UserRow } from './users.repository.js';

/** Shuts accounts out, for moderators. Who may is decided by the caller. */
@Injectable()
export class SuspensionsService {
  constructor(
    private readonly database: DatabaseService,
    private readonly sessions: SessionsService,
    private readonly events: EventsService,
    private readonly sources: UserSources,
  ) {}

  async suspend(userId: string, reason: string, until: Date | null): Promise<void> {
    await this.change(userId, async (tx) => {
      for (const guard of this.sources.deletionGuards) await guard(userId, tx);
      await this.sessions.revoke(userId, 'suspended', {}, tx);
      return suspendUser(tx, userId, reason, until);
    });
  }

  async reinstate(userId: string): Promise<void> {
    await this.change(userId, (tx) => reinstateUser(tx, userId));
  }

  private async change(userId: string, write: (tx: Tx) => Promise<UserRow | undefined>): Promise<void> {
    await this.database.tx(async (tx) => {
      const user = (await lockUser(tx, userId)) && (await write(tx));
      if (!user) throw notFound();
      await this.events.publish(tx, new UserUpdated(userId, user.rev));
    });
  }
}
