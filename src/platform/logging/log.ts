import type { Logger } from 'pino';
import type { EventAt, Level, LogEvent } from './log-events.js';

type Fields = Record<string, unknown>;

/**
 * The log of this process: one line per event, the event's stable name first. Which events there are, and at which levels,
 * says the catalogue in log-events.ts. Values are facts, never message bodies or secrets.
 */
export class Log {
  constructor(readonly pino: Logger) {}

  debug(event: EventAt<'debug'>, fields: Fields = {}, text: string = event): void {
    this.at('debug', event, fields, text);
  }
  info(event: EventAt<'info'>, fields: Fields = {}, text: string = event): void {
    this.at('info', event, fields, text);
  }
  warn(event: EventAt<'warn'>, fields: Fields = {}, text: string = event): void {
    this.at('warn', event, fields, text);
  }
  error(event: EventAt<'error'>, fields: Fields = {}, text: string = event): void {
    this.at('error', event, fields, text);
  }
  /** At a level that is known only now. */
  at(level: Level, event: LogEvent, fields: Fields = {}, text: string = event): void {
    this.pino[level]({ event, ...fields }, text);
  }
}
