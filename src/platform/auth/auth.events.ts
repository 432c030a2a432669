import { DomainEvent } from '../events/domain-event.js';

/** Why sockets of a session close; sent to them as `session.revoked`. */
export type RevocationReason = 'revoked' | 'refresh_reused' | 'suspended' | 'deleted' | 'password_changed';

/** Auth sessions of a user have ended: every replica drops what it knows about them and closes their sockets. */
export class SessionRevoked extends DomainEvent {
  static override readonly topic = 'session.revoked';
  constructor(
    readonly key: string,
    readonly sessionIds: readonly string[],
    readonly reason: RevocationReason,
  ) {
    super();
  }
  payload(): SessionRevokedPayload {
    return { userId: this.key, sessionIds: [...this.sessionIds], reason: this.reason };
  }
}
export type SessionRevokedPayload = { userId: string; sessionIds: string[]; reason: RevocationReason };

/** Roles or permissions of a user have changed; with a key of `*`, possibly those of everybody. */
export class GrantsChanged extends DomainEvent {
  static override readonly topic = 'grants.changed';
  static readonly EVERYBODY = '*';
  constructor(readonly key: string) {
    super();
  }
  payload() {
    return {};
  }
}

/** What a privileged action did; secrets and message bodies have no place in it. */
export interface Action {
  /** `user.suspend`, `system_health.update`: the noun and a verb. */
  action: string;
  permission: string;
  targetType: string;
  targetId: string | null;
  before?: Record<string, unknown> | null;
  after?: Record<string, unknown> | null;
  requestId: string;
  /** Keyed hash of the address, cut; empty for work without a request. */
  ipHash: string;
}

/** Somebody used a permission. Any module publishes it with its change; administration keeps it as the audit log. */
export class ActorActed extends DomainEvent {
  static override readonly topic = 'actor.acted';
  /** `key` is the user's id, or null for Parley itself. */
  constructor(
    readonly actorId: string | null,
    readonly done: Action,
  ) {
    super();
  }
  get key(): string {
    return this.actorId ?? 'system';
  }
  payload() {
    return { actorId: this.actorId, ...this.done };
  }
}
export type ActorActedPayload = Action & { actorId: string | null };
