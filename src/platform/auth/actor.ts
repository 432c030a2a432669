import { DomainError } from '../errors/domain-error.js';
import { permissions, type Permission } from './permissions.js';

/** On whose behalf something happens. Services take it first and check rights in their first lines. */
export class Actor {
  constructor(
    readonly userId: string,
    readonly sessionId: string,
    readonly deviceId: string,
    readonly permissions: ReadonlySet<Permission>,
    readonly roles: readonly string[],
    /** When the access token ends, in ms since the epoch. */
    readonly expiresAt: number,
    /** Name of the job for work without a user. */
    readonly system: string | null = null,
  ) {}

  /** Work of Parley itself; may do everything and appears in the audit log under its name. */
  static system(name: string): Actor {
    return new Actor(NOBODY, NOBODY, '', new Set(permissions), [], Infinity, name);
  }

  can(permission: Permission): boolean {
    return this.permissions.has(permission);
  }
}

const NOBODY = '00000000-0000-0000-0000-000000000000';

/** @throws forbidden, naming the permission */
export function requirePermission(actor: Actor, permission: Permission): void {
  if (!actor.can(permission))
    throw new DomainError('forbidden', { permission, detail: `Permission ${permission} is needed` });
}
