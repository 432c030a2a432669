import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import type { RevocationReason } from '../../platform/auth/auth.events.js';
import { Actors } from '../../platform/auth/actors.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import type { Page } from '../../platform/http/cursor.js';
import type { RequestOrigin } from '../../platform/http/request-origin.decorator.js';
import { Feeds } from '../../platform/realtime/feeds.js';
import { AccountsService } from './accounts.service.js';
import type { AccountChange, AccountQuery, AccountView } from './dto/account.view.js';
import type { DeviceInput } from './dto/fields.dto.js';
import { type Preferences, withDefaults } from './dto/preferences.view.js';
import type { AuthResultView, SessionView } from './dto/session.view.js';
import { ErasureService } from './erasure.service.js';
import { AccountOversight } from './oversight.service.js';
import { PasswordsService } from './passwords.service.js';
import { findPreferences } from './preferences.repository.js';
import { relatedAmong, relatedBy } from './relations.repository.js';
import { SessionsService } from './sessions.service.js';
import { findEnded } from './sessions.repository.js';
import { SignInService } from './sign-in.service.js';
import {
  type AvatarBinder,
  type DeletionGuard,
  type ExportSource,
  type PresenceSource,
  UserSources,
} from './sources.service.js';
import { SuspensionsService } from './suspensions.service.js';
import { UserFeedService } from './user-feed.service.js';
import { findCards, findHeads, type UserCard } from './users.repository.js';
import type { Identifier } from './users.rules.js';

export type { UserCard } from './users.repository.js';
export type { AvatarBinder, DeletionGuard, ExportSource, PresenceSource } from './sources.service.js';

/** Why a user cannot be written to or added. */
export type Refusal = 'not_found' | 'blocked' | 'privacy_restricted';

/** What modules above may ask and tell users: narrow answers, never rows. */
@Injectable()
export class UsersService implements OnModuleInit {
  constructor(
    private readonly database: DatabaseService,
    private readonly actors: Actors,
    private readonly feeds: Feeds,
    private readonly accounts: AccountsService,
    private readonly passwords: PasswordsService,
    private readonly sessions: SessionsService,
    private readonly signIn: SignInService,
    private readonly suspensions: SuspensionsService,
    private readonly erasure: ErasureService,
    private readonly userFeed: UserFeedService,
    private readonly sources: UserSources,
    private readonly oversight: AccountOversight,
  ) {}

  onModuleInit(): void {
    this.actors.useSessions((sessionId, claims) => this.sessions.stateOf(sessionId, claims));
    this.feeds.endedSessions = (ids) => findEnded(this.database, ids);
    this.feeds.userHeads = (ids, db = this.database) => findHeads(db, ids);
    this.feeds.userReaders.push(this.userFeed.read);
  }

  /** Those of the ids that exist, deleted ones included and recognisable by their state; in no order. */
  findMany(ids: readonly string[]): Promise<UserCard[]> {
    return findCards(this.database, ids);
  }

  /** In the order of the ids. @throws not_found when one is unknown or deleted */
  async requireUsers(ids: readonly string[]): Promise<UserCard[]> {
    const cards = new Map((await this.findMany(ids)).map((card) => [card.id, card]));
    return ids.map((id) => {
      const card = cards.get(id);
      if (!card || card.state === 'deleted') throw notFound();
      return card;
    });
  }

  /** Whether either has blocked the other. */
  async areBlocked(a: string, b: string): Promise<boolean> {
    return (await this.blockedAmong(a, [b])).size > 0;
  }

  /** Those of the ids whom the user has blocked, or who have blocked the user. */
  async blockedAmong(userId: string, ids: readonly string[]): Promise<Set<string>> {
    const [mine, theirs] = await Promise.all([
      relatedAmong(this.database, 'block', userId, ids),
      relatedBy(this.database, 'block', userId, ids),
    ]);
    return new Set([...mine, ...theirs]);
  }

  /** Those of the ids who are contacts of the user. */
  contactsAmong(userId: string, ids: readonly string[]): Promise<Set<string>> {
    return relatedAmong(this.database, 'contact', userId, ids);
  }

  /** Those of the ids who have the user among their contacts. */
  contactOwnersAmong(userId: string, ids: readonly string[]): Promise<Set<string>> {
    return relatedBy(this.database, 'contact', userId, ids);
  }

  /** Whom the actor may not begin a direct conversation with, and why; empty when all are fine. */
  mayMessage(actor: Actor, ids: readonly string[]): Promise<Map<string, Refusal>> {
    return this.refusals(actor, ids, 'whoCanMessage');
  }

  /** Whom the actor may not add to a conversation, and why; empty when all are fine. */
  mayAdd(actor: Actor, ids: readonly string[]): Promise<Map<string, Refusal>> {
    return this.refusals(actor, ids, 'whoCanAdd');
  }

  /** Preferences of each id, defaults where nothing was changed. */
  async preferencesOf(ids: readonly string[]): Promise<Map<string, Preferences>> {
    const rows = new Map((await findPreferences(this.database, ids)).map((row) => [row.userId, row]));
    return new Map(ids.map((id) => [id, withDefaults(rows.get(id))]));
  }

  /**
   * Makes an account, whoever may register; `password` in clear text. For administration and the command line.
   * @throws already_exists
   */
  async createAccount(
    input: { identifier: Identifier; displayName: string; password?: string; handle?: string; verified?: boolean },
    work: (userId: string, tx: Tx) => Promise<void> = async () => {},
  ): Promise<string> {
    const password = input.password === undefined ? null : await this.passwords.hash(input.password);
    return this.database.tx(async (tx) => {
      const { id } = await this.accounts.create({ ...input, password }, tx);
      await work(id, tx);
      return id;
    });
  }

  /** Signs a user in whose right to it was proven elsewhere. */
  openSession(userId: string, device: DeviceInput | undefined, origin: RequestOrigin): Promise<AuthResultView> {
    return this.signIn.enter('login', device, origin, async () => userId);
  }

  /** Ends live sessions of a user, all or one; answers how many. */
  revokeSessions(userId: string, reason: RevocationReason, sessionId: string | undefined, tx: Tx): Promise<number> {
    return this.sessions.revoke(userId, reason, sessionId === undefined ? {} : { sessionId }, tx);
  }

  /** Shuts an account out until a time, or for good; its sessions end everywhere. @throws not_found */
  suspend(userId: string, reason: string, until: Date | null, tx: Tx): Promise<void> {
    return this.suspensions.suspend(userId, reason, until, tx);
  }

  /** Ends a suspension; nothing happens without one. @throws not_found */
  reinstate(userId: string, tx: Tx): Promise<void> {
    return this.suspensions.reinstate(userId, tx);
  }

  /** Deletes an account, with `erase` for good and at once. @throws not_found, last_admin */
  deleteAccount(userId: string, erase: boolean, tx: Tx): Promise<{ eraseAfter: string }> {
    return this.erasure.delete(userId, erase, '', tx);
  }

  /** For administration. @throws forbidden, invalid_cursor */
  listAccounts(actor: Actor, query: AccountQuery): Promise<Page<AccountView>> {
    return this.oversight.list(actor, query);
  }
  /** For administration. @throws forbidden, not_found */
  account(actor: Actor, userId: string): Promise<AccountView> {
    return this.oversight.get(actor, userId);
  }
  /** For administration. @throws forbidden, not_found, already_exists */
  updateAccount(actor: Actor, userId: string, change: AccountChange, tx: Tx): Promise<void> {
    return this.oversight.update(actor, userId, change, tx);
  }
  /** For administration: live sessions. @throws forbidden, not_found */
  sessionsOf(actor: Actor, userId: string): Promise<SessionView[]> {
    return this.oversight.sessions(actor, userId);
  }

  usePresence(source: PresenceSource): void {
    this.sources.presence = source;
  }
  useAvatars(binder: AvatarBinder): void {
    this.sources.avatars = binder;
  }
  addExportSource(source: ExportSource): void {
    this.sources.exports.push(source);
  }
  addDeletionGuard(guard: DeletionGuard): void {
    this.sources.deletionGuards.push(guard);
  }

  private async refusals(
    actor: Actor,
    ids: readonly string[],
    right: 'whoCanMessage' | 'whoCanAdd',
  ): Promise<Map<string, Refusal>> {
    const [cards, blocked, preferences, trusting] = await Promise.all([
      this.findMany(ids),
      this.blockedAmong(actor.userId, ids),
      this.preferencesOf(ids),
      this.contactOwnersAmong(actor.userId, ids),
    ]);
    const present = new Set(cards.filter(({ state }) => state !== 'deleted').map(({ id }) => id));
    const refused = new Map<string, Refusal>();
    for (const id of ids) {
      if (!present.has(id)) refused.set(id, 'not_found');
      else if (blocked.has(id)) refused.set(id, 'blocked');
      else if (preferences.get(id)?.privacy[right] === 'contacts' && !trusting.has(id))
        refused.set(id, 'privacy_restricted');
    }
    return refused;
  }
}
