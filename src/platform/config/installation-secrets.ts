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
  if (!existsSync(file)) {
    mkdirSync(config.DATA_DIR, { recursive: true, mode: 0o700 });
    // Written whole or not at all; of two processes that start together, both read what the last rename left.
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, newSecret(48), { mode: 0o600, flag: 'wx' });
    renameSync(temporary, file);
  }
  return readFileSync(file, 'utf8').trim();
}
