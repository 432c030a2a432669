import { DomainEvent } from '../../platform/events/domain-event.js';

/** The presence of these users may have changed; whoever shows it reads it anew. Live only. */
export class PresenceMoved extends DomainEvent {
  static override readonly topic = 'presence.moved';
  readonly key = 'presence';
  /** @param atOnce they have chosen not to be seen: nobody waits with telling that */
  constructor(
    readonly userIds: readonly string[],
    readonly atOnce = false,
  ) {
    super();
  }
  payload() {
    return { userIds: [...this.userIds], atOnce: this.atOnce };
  }
}
