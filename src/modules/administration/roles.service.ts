import { Injectable } from '@nestjs/common';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { Actors, type Grants } from '../../platform/auth/actors.js';
import { GrantsChanged } from '../../platform/auth/auth.events.js';
import { PolicyCheck } from '../../platform/auth/policy-check.js';
import { newId } from '../../platform/clock/clock.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Db, Tx } from '../../platform/database/db.js';
import { invalidState, notFound, validationFailed } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { UsersService } from '../users/users.service.js';
import { lastAdmin, nameTaken } from './administration.errors.js';
import { AuditService } from './audit.service.js';
import type { CreateRole, UpdateRole } from './dto/role.dto.js';
import { type PermissionMapView, type RoleView, toRoleView } from './dto/role.view.js';
import * as roles from './roles.repository.js';
import { difference, requireAll } from './roles.rules.js';

/** Roles, and who holds them. Nobody hands out, takes away or changes what they do not have themselves. */
@Injectable()
export class RolesService {
  constructor(
    private readonly database: DatabaseService,
    private readonly events: EventsService,
    private readonly users: UsersService,
    private readonly audit: AuditService,
    private readonly actors: Actors,
    private readonly policies: PolicyCheck,
  ) {}

  async list(actor: Actor): Promise<RoleView[]> {
    requirePermission(actor, 'roles.read');
    return (await roles.listRoles(this.database)).map(toRoleView);
  }

  /** Every permission with the routes that ask for it. */
  async permissionMap(actor: Actor): Promise<PermissionMapView> {
    requirePermission(actor, 'roles.read');
    const routes = this.policies.routes().map(({ method, path, policy }) => ({
      method,
      path,
      policy: typeof policy === 'object' ? policy.permission : policy,
    }));
    const items = await roles.listPermissions(this.database);
    return {
      items: items.map((item) => ({ ...item, routes: routes.filter(({ policy }) => policy === item.name) })),
      routes,
    };
  }

  /** @throws forbidden, already_exists */
  async create(actor: Actor, input: CreateRole, trace: RequestTrace): Promise<RoleView> {
    requirePermission(actor, 'roles.write');
    requireAll(actor, input.permissions);
    const role = { id: newId(), name: input.name, description: input.description };
    await this.database.tx(async (tx) => {
      await roles.lockRoles(tx);
      if (!(await roles.insertRole(tx, role))) throw nameTaken();
      await roles.setPermissions(tx, role.id, input.permissions);
      await this.record(actor, 'role.create', input.name, null, { ...input }, trace, tx);
    });
    return toRoleView(await this.require(input.name));
  }

  /** @throws forbidden, not_found, invalid_state (built-in) */
  async update(actor: Actor, name: string, input: UpdateRole, trace: RequestTrace): Promise<RoleView> {
    requirePermission(actor, 'roles.write');
    await this.database.tx(async (tx) => {
      await roles.lockRoles(tx);
      const before = await this.requireCustom(name, tx);
      const permissions = input.permissions ?? before.permissions;
      const { permissions: held } = before;
      requireAll(actor, [...difference(permissions, held), ...difference(held, permissions)]);
      if (input.description !== undefined) await roles.describeRole(tx, before.id, input.description);
      await roles.setPermissions(tx, before.id, permissions);
      const shown = { description: before.description, permissions: before.permissions };
      await this.record(actor, 'role.update', name, shown, { ...shown, ...input }, trace, tx);
      this.changedForEverybody(tx);
    });
    return toRoleView(await this.require(name));
  }

  /** Whoever holds it loses it. @throws forbidden, not_found, invalid_state (built-in) */
  async delete(actor: Actor, name: string, trace: RequestTrace): Promise<void> {
    requirePermission(actor, 'roles.write');
    await this.database.tx(async (tx) => {
      await roles.lockRoles(tx);
      const role = await this.requireCustom(name, tx);
      requireAll(actor, role.permissions);
      await roles.deleteRole(tx, role.id);
      const { description, permissions, users } = role;
      await this.record(actor, 'role.delete', name, { description, permissions, users }, null, trace, tx);
      this.changedForEverybody(tx);
    });
  }

  /** Makes these the roles of a user. @throws forbidden, not_found, last_admin */
  async assign(actor: Actor, userId: string, names: readonly string[], trace: RequestTrace): Promise<string[]> {
    requirePermission(actor, 'roles.write');
    await this.users.requireUsers([userId]);
    await this.database.tx((tx) => this.assignIn(tx, actor, userId, names, trace));
    return this.namesOf(userId);
  }

  /** For the first admin too, who has nobody to be made by. */
  async makeAdmin(userId: string, tx: Tx): Promise<void> {
    await roles.lockRoles(tx);
    const [admin] = await roles.findRoles(tx, [roles.ADMIN]);
    if (!admin) throw new Error('the built-in role admin is missing');
    await roles.assignRoles(tx, userId, [admin.id], userId);
    this.changedFor(userId, tx);
  }

  /** Also under `lockRoles`, so that the answer holds until the transaction ends. */
  async hasAdmin(except?: string): Promise<boolean> {
    const holders = (await roles.holdersOf(this.database, roles.ADMIN)).filter((id) => id !== except);
    return (await this.users.findMany(holders)).some(({ state }) => state === 'active');
  }

  /** For accounts that are about to be deleted or shut out. @throws last_admin */
  async requireOtherAdmin(userId: string, tx: Tx): Promise<void> {
    const [held] = await roles.findGrants(tx, [userId]);
    if (!held?.roles.includes(roles.ADMIN)) return;
    await roles.lockRoles(tx);
    if (!(await this.hasAdmin(userId))) throw lastAdmin();
  }

  /** Every role of a user, the one of everybody included. */
  async namesOf(userId: string): Promise<string[]> {
    return [...((await this.grantsOf([userId])).get(userId)?.roles ?? [])];
  }

  async namesOfMany(userIds: readonly string[]): Promise<Map<string, string[]>> {
    const held = await roles.rolesOf(this.database, userIds);
    return new Map(userIds.map((id) => [id, [roles.EVERYONE, ...(held.get(id) ?? [])]]));
  }

  /** Roles and permissions of each user, exceptions included. */
  async grantsOf(userIds: readonly string[], db: Db = this.database): Promise<Map<string, Grants>> {
    const rows = new Map((await roles.findGrants(db, userIds)).map((row) => [row.userId, row]));
    return new Map(
      userIds.map((id) => {
        const { roles: held = [], permissions = [] } = rows.get(id) ?? {};
        return [id, { roles: [roles.EVERYONE, ...held], permissions }];
      }),
    );
  }

  /** Whoever has a permission that the actor lacks is above them. @throws forbidden */
  async requireNotAbove(actor: Actor, userId: string): Promise<void> {
    requireAll(actor, (await this.grantsOf([userId])).get(userId)?.permissions ?? []);
  }

  private async assignIn(
    tx: Tx,
    actor: Actor,
    userId: string,
    names: readonly string[],
    trace: RequestTrace,
  ): Promise<void> {
    await roles.lockRoles(tx);
    const wanted = await roles.findRoles(
      tx,
      names.filter((name) => name !== roles.EVERYONE),
    );
    const unknown = names.find((name) => name !== roles.EVERYONE && !wanted.some((role) => role.name === name));
    if (unknown !== undefined)
      throw validationFailed({ path: 'roles', code: 'unknown_role', message: `There is no role ${unknown}` });
    const before = (await roles.rolesOf(tx, [userId])).get(userId) ?? [];
    const after = wanted.map(({ name }) => name);
    const moved = await roles.findRoles(tx, [...difference(before, after), ...difference(after, before)]);
    if (moved.length === 0) return;
    for (const { permissions } of moved) requireAll(actor, permissions);
    if (before.includes(roles.ADMIN) && !after.includes(roles.ADMIN) && !(await this.hasAdmin(userId)))
      throw lastAdmin();
    await roles.assignRoles(
      tx,
      userId,
      wanted.map(({ id }) => id),
      actor.userId,
    );
    const deed = { action: 'user.roles', permission: 'roles.write', targetType: 'user', targetId: userId } as const;
    await this.audit.record(actor, { ...deed, before: { roles: before }, after: { roles: after } }, trace, tx);
    this.changedFor(userId, tx);
  }

  /** After the commit every replica and every open socket of the user has what the user may now. */
  changedFor(userId: string, tx: Tx): void {
    tx.afterCommit(() => {
      this.actors.forget(userId);
      this.events.hint(new GrantsChanged(userId));
    });
  }

  private changedForEverybody(tx: Tx): void {
    tx.afterCommit(() => {
      this.actors.forgetAll();
      this.events.hint(new GrantsChanged(GrantsChanged.EVERYBODY));
    });
  }

  private async require(name: string): Promise<roles.RoleRow> {
    const [role] = await roles.findRoles(this.database, [name]);
    if (!role) throw notFound();
    return role;
  }

  private async requireCustom(name: string, tx: Tx): Promise<roles.RoleRow> {
    const [role] = await roles.findRoles(tx, [name]);
    if (!role) throw notFound();
    if (role.builtIn) throw invalidState('Built-in roles cannot be changed');
    return role;
  }

  private record(
    actor: Actor,
    action: string,
    name: string,
    before: Record<string, unknown> | null,
    after: Record<string, unknown> | null,
    trace: RequestTrace,
    tx: Tx,
  ): Promise<void> {
    const deed = { action, permission: 'roles.write', targetType: 'role', targetId: name } as const;
    return this.audit.record(actor, { ...deed, before, after }, trace, tx);
  }
}
