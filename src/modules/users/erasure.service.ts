import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import type { RequestOrigin } from '../../platform/http/request-origin.decorator.js';
import { BackgroundWork } from '../../platform/lifecycle/background-work.js';
import { Log } from '../../platform/logging/log.js';
import { purgeActivity } from './activity.repository.js';
import { ActivityService } from './activity.service.js';
import { CredentialsService } from './credentials.service.js';
import type { DeleteAccount } from './dto/erasure.dto.js';
import * as erasure from './erasure.repository.js';
import { purgeOtps } from './otp.repository.js';
import { purgeSessions } from './sessions.repository.js';
import { SessionsService } from './sessions.service.js';
import { UserSources } from './sources.service.js';
import { UserDeleted, UserErased, UserUpdated } from './users.events.js';
import { lockUser } from './users.repository.js';

const ERASE_EVERY_MS = 60_000;
const PURGE_EVERY_MS = 3_600_000;
const BATCH = 100;

/** Deletion in two steps: hidden at once, erased for good after ERASE_AFTER_DAYS. */
@Injectable()
export class ErasureService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly credentials: CredentialsService,
    private readonly sessions: SessionsService,
    private readonly activity: ActivityService,
    private readonly sources: UserSources,
    private readonly events: EventsService,
    private readonly background: BackgroundWork,
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.background.registerJob({ name: 'accounts.erase', every: ERASE_EVERY_MS, run: () => this.eraseDue() });
    this.background.registerJob({ name: 'accounts.purge', every: PURGE_EVERY_MS, run: () => this.purge() });
  }

  /** Deletes the actor's own account. @throws invalid_credentials, last_admin */
  async deleteOwn(
    actor: Actor,
    { password, erase }: DeleteAccount,
    origin: RequestOrigin,
  ): Promise<{ eraseAfter: string }> {
    await this.credentials.requirePassword(actor, password);
    return this.database.tx((tx) => this.delete(actor.userId, erase, origin.ip, tx));
  }

  /** Deletes an account, whoever may; `erase` leaves no time to change one's mind. @throws not_found, last_admin */
  async delete(userId: string, erase: boolean, ip: string, tx: Tx): Promise<{ eraseAfter: string }> {
    if (!(await lockUser(tx, userId))) throw notFound();
    for (const guard of this.sources.deletionGuards) await guard(userId, tx);
    const user = await erasure.markDeleted(tx, userId, erase ? 0 : this.config.ERASE_AFTER_DAYS);
    if (!user) throw notFound();
    await this.sessions.revoke(userId, 'deleted', {}, tx);
    await this.activity.record(userId, 'deleted', { ip }, tx);
    await this.events.publish(tx, new UserUpdated(userId, user.rev));
    await this.events.publish(tx, new UserDeleted(userId));
    const eraseAfter = await erasure.findEraseAfter(tx, userId);
    if (erase) await this.erase(userId, tx);
    return { eraseAfter: (eraseAfter ?? new Date(0)).toISOString() };
  }

  /** Erases whatever is due. Replicas that do it at once do no harm: each user is blanked and announced once. */
  async eraseDue(): Promise<number> {
    const due = await erasure.findDueForErasure(this.database, BATCH);
    for (const userId of due) await this.database.tx((tx) => this.erase(userId, tx));
    if (due.length > 0) this.log.info('accounts.erased', { users: due.length });
    return due.length;
  }

  private async erase(userId: string, tx: Tx): Promise<void> {
    if (await erasure.eraseUser(tx, userId)) await this.events.publish(tx, new UserErased(userId));
  }

  private async purge(): Promise<void> {
    await purgeSessions(this.database);
    await purgeOtps(this.database);
    await purgeActivity(this.database);
  }
}
