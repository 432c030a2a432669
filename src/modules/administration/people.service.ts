import { Injectable } from '@nestjs/common';
import { Actor, requirePermission } from '../../platform/auth/actor.js';
import type { Permission } from '../../platform/auth/permissions.js';
import { now } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { notFound, validationFailed } from '../../platform/errors/domain-error.js';
import type { Page } from '../../platform/http/cursor.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import type { AccountChange, AccountQuery, AccountView, NewAccount } from '../users/dto/account.view.js';
import type { SessionView } from '../users/dto/session.view.js';
import { UsersService } from '../users/users.service.js';
import { AuditService, type Deed } from './audit.service.js';
import type { Deletion, Suspension } from './dto/person.dto.js';
import type { PersonView } from './dto/person.view.js';
import { RolesService } from './roles.service.js';

/**
 * Accounts of others; each act and its entry in the audit log are one transaction. Nobody touches an account that may do more than they
 * may: it would be a way to its permissions.
 */
@Injectable()
export class PeopleService {
  constructor(
    private readonly database: DatabaseService,
    private readonly users: UsersService,
    private readonly roles: RolesService,
    private readonly audit: AuditService,
  ) {}

  async list(actor: Actor, query: AccountQuery): Promise<Page<PersonView>> {
    const page = await this.users.listAccounts(actor, query);
    const roles = await this.roles.namesOfMany(page.items.map(({ id }) => id));
    return { ...page, items: page.items.map((account) => ({ ...account, roles: roles.get(account.id) ?? [] })) };
  }

  /** @throws forbidden, not_found */
  async get(actor: Actor, id: string): Promise<PersonView> {
    const account = await this.users.account(actor, id);
    return { ...account, roles: await this.roles.namesOf(id) };
  }

  /** Whoever may register; the address counts as verified. @throws forbidden, already_exists */
  async create(actor: Actor, input: NewAccount, trace: RequestTrace): Promise<PersonView> {
    requirePermission(actor, 'users.write');
    const { identifier, displayName, password, handle } = input;
    const id = await this.users.createAccount(
      {
        identifier,
        displayName,
        verified: true,
        ...(password === undefined ? {} : { password }),
        ...(handle === undefined ? {} : { handle }),
      },
      (userId, tx) => {
        const after = { [identifier.kind]: identifier.value, displayName, handle: handle ?? null };
        return this.audit.record(actor, deed('user.create', 'users.write', userId, null, after), trace, tx);
      },
    );
    return this.seen(id);
  }

  /** @throws forbidden, not_found, already_exists */
  async update(actor: Actor, id: string, change: AccountChange, trace: RequestTrace): Promise<PersonView> {
    const before = await this.reach(actor, 'users.write', id);
    const old = Object.fromEntries(Object.keys(change).map((name) => [name, before[name as keyof AccountView]]));
    await this.database.tx(async (tx) => {
      await this.users.updateAccount(actor, id, change, tx);
      await this.audit.record(actor, deed('user.update', 'users.write', id, old, { ...change }), trace, tx);
    });
    return this.seen(id);
  }

  /** Soft, or for good with `erase`. @throws forbidden, not_found, last_admin */
  async delete(
    actor: Actor,
    id: string,
    { erase, reason }: Deletion,
    trace: RequestTrace,
  ): Promise<{ eraseAfter: string }> {
    const { state } = await this.reach(actor, 'users.delete', id);
    const after = { state: 'deleted', erase, reason: reason ?? null };
    return this.database.tx(async (tx) => {
      const result = await this.users.deleteAccount(id, erase, tx);
      await this.audit.record(actor, deed('user.delete', 'users.delete', id, { state }, after), trace, tx);
      return result;
    });
  }

  /** Shuts somebody out; their sockets close everywhere. @throws forbidden, not_found, last_admin */
  async suspend(actor: Actor, id: string, { reason, until }: Suspension, trace: RequestTrace): Promise<PersonView> {
    if (until !== undefined && until <= now())
      throw validationFailed({ path: 'until', code: 'past', message: 'A time in the future' });
    const { state } = await this.reach(actor, 'users.write', id);
    const after = { state: 'suspended', reason, until: until?.toISOString() ?? null };
    await this.database.tx(async (tx) => {
      await this.users.suspend(id, reason, until ?? null, tx);
      await this.audit.record(actor, deed('user.suspend', 'users.write', id, { state }, after), trace, tx);
    });
    return this.seen(id);
  }

  /** @throws forbidden, not_found */
  async reinstate(actor: Actor, id: string, reason: string | undefined, trace: RequestTrace): Promise<PersonView> {
    const { state } = await this.reach(actor, 'users.write', id);
    const after = { state: 'active', reason: reason ?? null };
    await this.database.tx(async (tx) => {
      await this.users.reinstate(id, tx);
      await this.audit.record(actor, deed('user.unsuspend', 'users.write', id, { state }, after), trace, tx);
    });
    return this.seen(id);
  }

  sessions(actor: Actor, id: string): Promise<SessionView[]> {
    return this.users.sessionsOf(actor, id);
  }

  /** Ends sessions, all or one. @throws forbidden, not_found */
  async revoke(actor: Actor, id: string, sessionId: string | undefined, trace: RequestTrace): Promise<void> {
    await this.reach(actor, 'sessions.revoke', id);
    await this.database.tx(async (tx) => {
      const ended = await this.users.revokeSessions(id, 'revoked', sessionId, tx);
      if (ended === 0 && sessionId !== undefined) throw notFound();
      const after = { sessionId: sessionId ?? null, ended };
      await this.audit.record(actor, deed('session.revoke', 'sessions.revoke', id, null, after), trace, tx);
    });
  }

  /** The account as it is, if the actor may touch it. */
  private async reach(actor: Actor, permission: Permission, id: string): Promise<AccountView> {
    requirePermission(actor, permission);
    const account = await this.users.account(parley, id);
    await this.roles.requireNotAbove(actor, id);
    return account;
  }

  /** What the actor just wrote, which they may see. */
  private seen(id: string): Promise<PersonView> {
    return this.get(parley, id);
  }
}

const parley = Actor.system('administration');

const deed = (
  action: string,
  permission: Permission,
  targetId: string,
  before: Record<string, unknown> | null,
  after: Record<string, unknown> | null,
): Deed => ({ action, permission, targetType: 'user', targetId, before, after });
