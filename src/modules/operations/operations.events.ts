import { DomainEvent } from '../../platform/events/domain-event.js';

/** An alert opened, changed its level or was resolved. */
export class HealthAlertChanged extends DomainEvent {
  static override readonly topic = 'health.alert';
  constructor(readonly alert: HealthAlertPayload) {
    super();
  }
  get key(): string {
    return this.alert.id;
  }
  payload(): HealthAlertPayload {
    return { ...this.alert };
  }
}

/** A piece of work that does nothing has come through the queue. */
export class QueueProbed extends DomainEvent {
  static override readonly topic = 'queue.probed';
  constructor(readonly key: string) {
    super();
  }
  payload(): Record<string, never> {
    return {};
  }
}

export type HealthAlertPayload = {
  id: string;
  metric: string;
  level: 'warning' | 'critical';
  change: 'opened' | 'raised' | 'lowered' | 'resolved';
  replicaId: string | null;
  value: number;
  threshold: number;
};
