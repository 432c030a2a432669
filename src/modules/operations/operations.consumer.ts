import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Durable, Live } from '../../platform/events/event-handlers.js';
import { postOutgoing } from '../../platform/http/outgoing-post.js';
import { envelopeOf, signWebhook } from '../../platform/http/webhook.js';
import { Log } from '../../platform/logging/log.js';
import { HealthAlertChanged, type HealthAlertPayload, QueueProbed } from './operations.events.js';
import { QueueProbeService } from './queue-probe.service.js';

const TIMEOUT_MS = 3000;

@Injectable()
export class OperationsConsumer {
  /** A repeat is for the webhook; one line is enough. */
  private logged: string | undefined;

  constructor(
    private readonly config: Config,
    private readonly log: Log,
    private readonly probes: QueueProbeService,
  ) {}

  @Live(QueueProbed)
  onProbed({ key }: DeliveredEvent): void {
    this.probes.arrived(key);
  }

  /**
   * Where alerts go: the log always, ALERT_WEBHOOK_URL when it is set. A receiver that fails is asked again by the relay;
   * repeats carry the same Parley-Event-Id.
   */
  @Durable(HealthAlertChanged)
  async onAlert({ id, payload }: DeliveredEvent): Promise<void> {
    const alert = payload as HealthAlertPayload;
    if (id !== this.logged) this.write(alert);
    this.logged = id;
    await this.post(id, alert);
  }

  private write(alert: HealthAlertPayload): void {
    const severe = alert.change !== 'resolved' && alert.level === 'critical';
    this.log.at(severe ? 'error' : alert.change === 'resolved' ? 'info' : 'warn', 'health.alert', { ...alert });
  }

  private async post(id: string, alert: HealthAlertPayload): Promise<void> {
    const url = this.config.ALERT_WEBHOOK_URL;
    if (url === undefined) return;
    const { body, headers } = signWebhook(envelopeOf('health.alert', alert, id), this.config.ALERT_WEBHOOK_SECRET);
    const { status } = await postOutgoing({ url, headers, body, allowPrivate: true, timeoutMs: TIMEOUT_MS });
    if (status < 200 || status > 299) throw new Error(`the alert webhook answered ${status}`);
  }
}
