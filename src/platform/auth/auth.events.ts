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
