import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';
import type { LogEvent } from './log-events.js';

/** Nest's own lines in our log. What it says in passing (every module, every route) is debug; its warnings and errors count. */
export class NestLog implements LoggerService {
  constructor(private readonly pino: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  /** The last extra argument is the name of the class that speaks. */
  private write(level: 'debug' | 'warn' | 'error', message: unknown, rest: readonly unknown[]): void {
    const context = rest.at(-1);
    const text = message instanceof Error ? message.message : typeof message === 'string' ? message : 'nest';
    this.pino[level](
      { event: 'nest' satisfies LogEvent, context, ...(message instanceof Error ? { err: message } : {}) },
      text,
    );
  }
}
