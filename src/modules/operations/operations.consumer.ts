import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import type { DeliveredEvent } from '../../platform/events/domain-event.js';
import { Durable, Live } from '../../platform/events/event-handlers.js';
import { postOutgoing } from '../../platform/http/outgoing-post.js';
import { envelopeOf, signWebhook } from '../../platform/http/webhook.js';
import { Log } from '../../platform/logging/log.js';
import { AlertMail } from './alert-mail.service.js';
import { HealthAlertChanged, type HealthAlertPayload, QueueProbed } from './operations.events.js';
import { QueueProbeService } from './queue-probe.service.js';

/** A place where alerts go. */
type Sink = (id: string, alert: HealthAlertPayload) => void | Promise<void>;

@Injectable()
export class OperationsConsumer {
  private readonly sinks: readonly Sink[] = [
    (_id, alert) => this.write(alert),
    (id, alert) => this.post(id, alert),
    (id, alert) => this.mail.send(id, alert),
  ];
  /** The last alert and whom it has reached: a repeat is for the others. */
  private told = { id: '', sinks: new Set<Sink>() };

  constructor(
    private readonly config: Config,
    private readonly log: Log,
    private readonly probes: QueueProbeService,
    private readonly mail: AlertMail,
  ) {}

  @Live(QueueProbed)
  onProbed({ key }: DeliveredEvent): void {
    this.probes.arrived(key);
  }

  /**
   * Where alerts go: the log always, ALERT_WEBHOOK_URL and ALERT_EMAIL_TO when they are set. A receiver that fails is asked
   * again by the relay; repeats carry the same Parley-Event-Id and Message-ID.
   */
  @Durable(HealthAlertChanged)
  async onAlert({ id, payload }: DeliveredEvent): Promise<void> {
    if (id !== this.told.id) this.told = { id, sinks: new Set() };
    const { sinks: reached } = this.told;
    const tries = this.sinks
      .filter((sink) => !reached.has(sink))
      .map(async (sink) => {
        await sink(id, payload as HealthAlertPayload);
        reached.add(sink);
      });
    const failed = (await Promise.allSettled(tries)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  private write(alert: HealthAlertPayload): void {
    const severe = alert.change !== 'resolved' && alert.level === 'critical';
    this.log.at(severe ? 'error' : alert.change === 'resolved' ? 'info' : 'warn', 'health.alert', { ...alert });
  }

  private async post(id: string, alert: HealthAlertPayload): Promise<void> {
    const url = this.config.ALERT_WEBHOOK_URL;
    if (url === undefined) return;
    const { body, headers } = signWebhook(envelopeOf('health.alert', alert, id), this.config.ALERT_WEBHOOK_SECRET);
    const { status } = await postOutgoing({ url, headers, body, allowPrivate: true });
    if (status < 200 || status > 299) throw new Error(`the alert webhook answered ${status}`);
  }
}
