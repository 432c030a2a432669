import { DomainEvent } from '../../platform/events/domain-event.js';

/** A file was sent and has to be checked. Live only: the row itself is the work. */
export class MediaUploaded extends DomainEvent {
  static override readonly topic = 'media.uploaded';
  constructor(readonly key: string) {
    super();
  }
  payload() {
    return { mediaId: this.key };
  }
}

/** A file has passed every check and can be fetched. */
export class MediaReady extends DomainEvent {
  static override readonly topic = 'media.ready';
  constructor(
    readonly key: string,
    readonly ownerId: string,
  ) {
    super();
  }
  payload() {
    return { mediaId: this.key, ownerId: this.ownerId };
  }
}

/** A file can no longer be fetched: it was rejected, quarantined or deleted. */
export class MediaWithdrawn extends DomainEvent {
  static override readonly topic = 'media.withdrawn';
  constructor(
    readonly key: string,
    readonly ownerId: string,
    readonly state: 'rejected' | 'quarantined' | 'deleted',
  ) {
    super();
  }
  payload() {
    return { mediaId: this.key, ownerId: this.ownerId, state: this.state };
  }
}
