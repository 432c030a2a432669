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

export type HealthAlertPayload = {
  id: string;
  metric: string;
  level: 'warning' | 'critical';
  change: 'opened' | 'raised' | 'lowered' | 'resolved';
  replicaId: string | null;
  value: number;
  threshold: number;
};
