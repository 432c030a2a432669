import { Injectable } from '@nestjs/common';
import { type Actor, requirePermission } from '../../platform/auth/actor.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { RequestTrace } from '../../platform/http/request-origin.decorator.js';
import { UsersService } from '../users/users.service.js';
import { lastAdmin } from './administration.errors.js';
import { AuditService } from './audit.service.js';
import type { OverridesView } from './dto/override.view.js';
import { findOverrides, type Overrides, setOverrides } from './overrides.repository.js';
import { ADMIN, findGrants, lockRoles } from './roles.repository.js';
import { difference, requireAll } from './roles.rules.js';
import { RolesService } from './roles.service.js';

/** Exceptions for one user: a permission more than the roles give, or one less. A denial wins over every role. */
@Injectable()
export class OverridesService {
  constructor(
    private readonly database: DatabaseService,
    private readonly users: UsersService,
    private readonly roles: RolesService,
    private readonly audit: AuditService,
  ) {}

  /** @throws forbidden, not_found */
  async get(actor: Actor, userId: string): Promise<OverridesView> {
    requirePermission(actor, 'roles.read');
    await this.users.requireUsers([userId]);
    return this.view(userId);
  }

  /** Makes these the exceptions of a user. @throws forbidden, not_found, last_admin */
  async set(actor: Actor, userId: string, wanted: Overrides, trace: RequestTrace): Promise<OverridesView> {
    requirePermission(actor, 'roles.write');
    await this.users.requireUsers([userId]);
    await this.database.tx(async (tx) => {
      await lockRoles(tx);
      const before = await findOverrides(tx, userId);
      const moved = [...changed(before.granted, wanted.granted), ...changed(before.denied, wanted.denied)];
      if (moved.length === 0) return;
      requireAll(actor, moved);
      const [held] = await findGrants(tx, [userId]);
      // An admin who is denied something is none who could put everything right.
      if (wanted.denied.length > 0 && held?.roles.includes(ADMIN) && !(await this.roles.hasAdmin(userId)))
        throw lastAdmin();
      await setOverrides(tx, userId, wanted, actor.userId);
      const deed = { action: 'user.permissions', permission: 'roles.write', targetType: 'user' } as const;
      await this.audit.record(
        actor,
        { ...deed, targetId: userId, before: { ...before }, after: { ...wanted } },
        trace,
        tx,
      );
      this.roles.changedFor(userId, tx);
    });
    return this.view(userId);
  }

  private async view(userId: string): Promise<OverridesView> {
    const [overrides, grants] = await Promise.all([
      findOverrides(this.database, userId),
      this.roles.grantsOf([userId]),
    ]);
    const { roles = [], permissions = [] } = grants.get(userId) ?? {};
    return { ...overrides, roles: [...roles], permissions: [...permissions] };
  }
}

const changed = <Item>(before: readonly Item[], after: readonly Item[]): Item[] => [
  ...difference(before, after),
  ...difference(after, before),
];
