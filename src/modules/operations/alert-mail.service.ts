import { Injectable } from '@nestjs/common';
import { Config } from '../../platform/config/config.js';
import type { HealthAlertPayload } from './operations.events.js';

const TIMEOUT_MS = 5000;

/** Health alerts as plain text to ALERT_EMAIL_TO, through the server of SMTP_URL. */
@Injectable()
export class AlertMail {
  constructor(private readonly config: Config) {}

  /**
   * `id` makes the Message-ID, by which a mail program knows a repeat. Credentials go over TLS or not at all.
   * @throws whatever the server or the network says
   */
  async send(id: string, alert: HealthAlertPayload): Promise<void> {
    const { SMTP_URL: url, ALERT_EMAIL_FROM: from, ALERT_EMAIL_TO: to } = this.config;
    if (url === undefined || from === undefined || to === undefined) return;
    const { protocol, hostname, port, username, password } = new URL(url);
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      ...(port === '' ? {} : { port: Number(port) }),
      secure: protocol === 'smtps:',
      requireTLS: username !== '',
      ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
      dnsTimeout: TIMEOUT_MS,
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
    });
    await transport.sendMail({ from, to, messageId: `<${id}@parley>`, ...this.letter(alert) });
  }

  private letter({ metric, change, level, value, threshold, replicaId }: HealthAlertPayload) {
    const { PUBLIC_URL } = this.config;
    const state = change === 'resolved' ? 'resolved' : level;
    return {
      subject: `[Parley] ${metric}: ${state}`,
      text: [
        `${metric} is ${value}; the threshold for ${level} is ${threshold}.`,
        `The alert was ${change}.`,
        ...(replicaId === null ? [] : [`Replica: ${replicaId}`]),
        ...(PUBLIC_URL === undefined ? [] : [`${PUBLIC_URL}/ops`]),
        '',
      ].join('\n'),
    };
  }
}
