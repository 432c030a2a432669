import type { Config } from '../../platform/config/config.js';
import type { Log } from '../../platform/logging/log.js';
import { type OtpMessage, OtpSender } from './otp-sender.js';

const KEPT = 100;

/** For development: the code appears in the log and in the dev inbox. Refused in production. */
export class LogOtpSender extends OtpSender {
  readonly usable: boolean;
  private readonly sent: OtpMessage[] = [];

  constructor(
    config: Config,
    private readonly log: Log,
  ) {
    super();
    this.usable = !config.isProduction;
  }

  async send(message: OtpMessage): Promise<void> {
    this.sent.unshift(message);
    if (this.sent.length > KEPT) this.sent.pop();
    this.log.info('otp.sent', { purpose: message.purpose }, `one-time code for ${message.identifier}: ${message.code}`);
  }

  inbox(identifier: string): OtpMessage[] | undefined {
    return this.usable ? this.sent.filter((message) => message.identifier === identifier) : undefined;
  }
}
