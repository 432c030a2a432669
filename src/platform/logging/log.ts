import type { Logger } from 'pino';

type Fields = Record<string, unknown>;

/** The log of this process: one line per event, the event's stable name first. Values are facts, never message bodies or secrets. */
export class Log {
  constructor(readonly pino: Logger) {}

  debug(event: string, fields: Fields = {}, text = event): void {
    this.pino.debug({ event, ...fields }, text);
  }
  info(event: string, fields: Fields = {}, text = event): void {
    this.pino.info({ event, ...fields }, text);
  }
  warn(event: string, fields: Fields = {}, text = event): void {
    this.pino.warn({ event, ...fields }, text);
  }
  error(event: string, fields: Fields = {}, text = event): void {
    this.pino.error({ event, ...fields }, text);
  }
}
