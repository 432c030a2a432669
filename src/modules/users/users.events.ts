import { DomainEvent, type FeedPosition } from '../../platform/events/domain-event.js';

/** An account was made, by registration, by an administrator or at first sight of a host application's token. */
export class UserCreated extends DomainEvent {
  static override readonly topic = 'user.created';
  constructor(readonly key: string) {
    super();
  }
  payload() {
    return { userId: this.key };
  }
}

/** The public profile or the state of a user has changed. */
export class UserUpdated extends DomainEvent {
  static override readonly topic = 'user.updated';
  constructor(
    readonly key: string,
    readonly rev: number,
  ) {
    super();
  }
  payload() {
    return { userId: this.key, rev: this.rev };
  }
  override position(): FeedPosition {
    return { feed: 'user', id: this.key, rev: this.rev };
  }
}

/** A user deleted the account; it can still be restored by an administrator until `UserErased`. */
export class UserDeleted extends DomainEvent {
  static override readonly topic = 'user.deleted';
  constructor(readonly key: string) {
    super();
  }
  payload() {
    return { userId: this.key };
  }
}

/** Everything about the person goes now: each module blanks what it owns. */
export class UserErased extends DomainEvent {
  static override readonly topic = 'user.erased';
  constructor(readonly key: string) {
    super();
  }
  payload() {
    return { userId: this.key };
  }
}

/** Rows of a user's own feed that nobody else sees have changed: preferences, contacts, blocks. Live only. */
export class UserFeedAdvanced extends DomainEvent {
  static override readonly topic = 'user.feed';
  constructor(
    readonly key: string,
    readonly rev: number,
  ) {
    super();
  }
  payload() {
    return { userId: this.key, rev: this.rev };
  }
  override position(): FeedPosition {
    return { feed: 'user', id: this.key, rev: this.rev };
  }
}

/** What an account's owner should know at once, wherever they are signed in. */
export type SecurityEvent = 'new_sign_in' | 'refresh_reused' | 'password_changed' | 'password_reset';

/** Something has happened to the access to an account that its owner may not have done. */
export class AccessAlarmed extends DomainEvent {
  static override readonly topic = 'user.access';
  constructor(
    readonly key: string,
    readonly event: SecurityEvent,
    /** The auth session it is about, if it is about one. */
    readonly sessionId: string | null,
  ) {
    super();
  }
  payload() {
    return { userId: this.key, event: this.event, sessionId: this.sessionId };
  }
}

/** Somebody was added to the contacts of another user. */
export class ContactAdded extends DomainEvent {
  static override readonly topic = 'contact.added';
  constructor(
    /** Who was added. */
    readonly key: string,
    readonly ownerId: string,
  ) {
    super();
  }
  payload() {
    return { userId: this.key, ownerId: this.ownerId };
  }
}

/** A user blocked another one, or lifted the block. Live only: rights are read where they are needed. */
export class BlockChanged extends DomainEvent {
  static override readonly topic = 'block.changed';
  constructor(
    /** Who blocks. */
    readonly key: string,
    readonly targetId: string,
    readonly on: boolean,
  ) {
    super();
  }
  payload() {
    return { ownerId: this.key, targetId: this.targetId, on: this.on };
  }
}
