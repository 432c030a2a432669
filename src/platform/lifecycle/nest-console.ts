import type { LoggerService } from '@nestjs/common';

/**
 * Stands for Nest's ConsoleLogger while a process starts. The real one makes a date format of the user's language as it
 * loads, which is several percent of a start, and Nest speaks through our own log (NestLog). What is said before that
 * goes to standard error as it is.
 */
export class ConsoleLogger implements LoggerService {
  readonly log = write;
  readonly warn = write;
  readonly error = write;
  readonly fatal = write;
  /** In passing: nothing that a start has to say. */
  debug(): void {}
  verbose(): void {}
  setContext(): void {}
}

const write = (...messages: unknown[]): void => void process.stderr.write(`${messages.map(String).join(' ')}\n`);
