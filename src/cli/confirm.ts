import { createInterface } from 'node:readline/promises';
import type { Config } from '../platform/config/config.js';

const USAGE = 2;

/** The answer was no, or nobody could be asked. */
export class NotConfirmed extends Error {
  readonly exitCode = USAGE;
}

/**
 * Asks before something that cannot be undone. In production, and where no terminal can answer, only the flag
 * --yes-i-mean-it says yes.
 */
export async function confirm(
  question: string,
  flags: Record<string, unknown>,
  config: Pick<Config, 'isProduction'>,
): Promise<void> {
  if (flags['yes-i-mean-it'] === true) return;
  if (config.isProduction || !process.stdin.isTTY)
    throw new NotConfirmed(`${question} Repeat with --yes-i-mean-it if that is what you want.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} Type yes: `);
    if (answer.trim() !== 'yes') throw new NotConfirmed('Nothing was changed.');
  } finally {
    terminal.close();
  }
}

export const yesIMeanIt = {
  'yes-i-mean-it': { type: 'boolean', description: 'do not ask; the only way in production' },
} as const;
