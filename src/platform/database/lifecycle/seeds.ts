import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { LifecycleError } from './errors.js';
import type { Seed } from './types.js';

/**
 * Seeds kept as SQL: every `*.sql` of a folder, in name order. The first line says how it runs:
 * `-- seed: once version=1` or `-- seed: repeatable version=1`; a repeatable one also runs again when its text changes.
 * @param settings values of this installation, for `current_setting(name, true)` in the SQL
 */
export function loadSeeds(directory: string, settings: Readonly<Record<string, string | undefined>> = {}): Seed[] {
  if (!existsSync(directory)) return [];
  const files = readdirSync(directory).filter((file) => file.endsWith('.sql'));
  return files
    .sort((a, b) => (a < b ? -1 : 1))
    .map((file) => sqlSeed(file, readFileSync(join(directory, file), 'utf8'), settings));
}

function sqlSeed(file: string, sql: string, settings: Readonly<Record<string, string | undefined>>): Seed {
  const [, kind, version] = /^--\s*seed:\s*(once|repeatable) version=([1-9]\d{0,5})\s*$/m.exec(sql) ?? [];
  if ((kind !== 'once' && kind !== 'repeatable') || version === undefined) {
    throw new LifecycleError('config', `seed ${file} does not begin with "-- seed: once|repeatable version=N"`);
  }
  return {
    name: file.slice(0, -'.sql'.length),
    version: Number(version),
    kind,
    checksum: createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex'),
    run: async (tx) => {
      for (const [name, value] of Object.entries(settings)) {
        if (value !== undefined) await tx.query('SELECT set_config($1, $2, true)', [name, value]);
      }
      await tx.query(sql);
    },
  };
}

export const seedChecksum = (seed: Seed): string =>
  seed.checksum ?? createHash('sha256').update(`${seed.name}@${seed.version}`).digest('hex');
