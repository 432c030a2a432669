import { DomainEvent } from '../../platform/events/domain-event.js';

/** Somebody reported a message or a user. */
export class ReportCreated extends DomainEvent {
  static override readonly topic = 'report.created';
  constructor(
    readonly key: string,
    readonly report: { reporterId: string; messageId: string | null; userId: string | null; reason: string },
  ) {
    super();
  }
  payload() {
    return { reportId: this.key, ...this.report };
  }
}
