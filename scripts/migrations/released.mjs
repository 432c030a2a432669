import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The released migrations: `released.sha256` beside the migrations folder, in the form of sha256sum. What stands there
 * runs on databases of others and never changes again.
 *
 * @param {string} folder
 * @returns {Map<string, string>} name to SHA-256, lower-case hex
 */
export const readReleased = (folder) => {
  const path = join(folder, 'released.sha256');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  return new Map(
    lines
      .map((line) => /^([0-9a-f]{64}) [ *](?:migrations\/)?(\d{14}_\w+)(?:\/migration\.sql)?$/.exec(line.trim()))
      .filter((found) => found !== null)
      .map(([, checksum, name]) => [name, checksum]),
  );
};
