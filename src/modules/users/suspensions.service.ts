import { Injectable } from '@nestjs/common';
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
    private readonly sessions: SessionsService,
    private readonly events: EventsService,
    private readonly sources: UserSources,
  ) {}

  async suspend(userId: string, reason: string, until: Date | null, tx: Tx): Promise<void> {
    await this.change(userId, tx, async () => {
      for (const guard of this.sources.deletionGuards) await guard(userId, tx);
      await this.sessions.revoke(userId, 'suspended', {}, tx);
      return suspendUser(tx, userId, reason, until);
    });
  }

  async reinstate(userId: string, tx: Tx): Promise<void> {
    await this.change(userId, tx, () => reinstateUser(tx, userId));
  }

  private async change(userId: string, tx: Tx, write: () => Promise<UserRow | undefined>): Promise<void> {
    const user = (await lockUser(tx, userId)) && (await write());
    if (!user) throw notFound();
    await this.events.publish(tx, new UserUpdated(userId, user.rev));
  }
}
