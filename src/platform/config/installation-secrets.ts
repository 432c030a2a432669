import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newSecret } from '../clock/clock.js';
import { Config } from './config.js';

/**
 * The secret that encrypts stored keys and signs links. In production it is configured; elsewhere it is made once and
 * kept in DATA_DIR, readable by the owner only.
 */
export function appSecret(config: Config): string {
  if (config.APP_SECRET) return config.APP_SECRET;
  const file = join(config.DATA_DIR, 'app-secret');
  try {
    if (!existsSync(file)) make(file, config.DATA_DIR);
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new DataDirError(config.DATA_DIR, (cause as NodeJS.ErrnoException).code, cause);
  }
}

function make(file: string, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Written whole or not at all; of two processes that start together, both read what the last rename left.
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, newSecret(48), { mode: 0o600, flag: 'wx' });
  renameSync(temporary, file);
}

/** The folder of this installation cannot be used. */
class DataDirError extends Error {
  readonly exitCode = 10;
  readonly hint: string;
  constructor(folder: string, code: string | undefined, cause: unknown) {
    super(`the folder DATA_DIR cannot be used (${code ?? 'error'}): ${folder}`, { cause });
    this.name = 'DataDirError';
    this.hint =
      code === 'ENOSPC'
        ? 'The disk is full: free some space, then start again.'
        : 'Give this user the right to write there, or name another place with DATA_DIR.';
  }
}
