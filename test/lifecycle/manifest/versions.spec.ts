import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { buildManifest } from '../../../src/platform/database/lifecycle/manifest-build.js';
import { loadMigrations, parseMigration } from '../../../src/platform/database/lifecycle/migration-files.js';
import { serverUrl } from '../../support/database.js';
import { SAMPLE } from './sample-schema.js';

const run = promisify(execFile);
const migrationsDir = join(import.meta.dirname, '../../../prisma/migrations');
/** Where Debian's packages put older servers. */
const others = ['14', '15', '16', '17']
  .map((version) => `/usr/lib/postgresql/${version}/bin`)
  .filter((bin) => existsSync(bin));

const idOf = async (which: '-u' | '-g'): Promise<number> => Number((await run('id', [which, 'nobody'])).stdout);

/** A throwaway server of another version, reached by its socket alone. Root lends it to `nobody`. */
async function withServer<T>(bin: string, work: (url: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'parley-pg-'));
  const as = { cwd: '/', ...(process.getuid?.() === 0 ? { uid: await idOf('-u'), gid: await idOf('-g') } : {}) };
  if (as.uid !== undefined && as.gid !== undefined) await chown(dir, as.uid, as.gid);
  const control = (...args: string[]) => run(join(bin, 'pg_ctl'), ['-D', join(dir, 'data'), '-w', ...args], as);
  await run(
    join(bin, 'initdb'),
    ['-D', join(dir, 'data'), '-U', 'parley', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
    as,
  );
  try {
    await control('-l', join(dir, 'log'), '-o', `-k ${dir} -c listen_addresses= -c fsync=off`, 'start');
    return await work(`postgres://parley@localhost/postgres?host=${encodeURIComponent(dir)}`);
  } finally {
    await control('-m', 'immediate', 'stop').catch(() => undefined);
    await rm(dir, { recursive: true, force: true });
  }
}

const sample = [parseMigration('20260101000000_sample', Buffer.from(SAMPLE.join(';\n')))];

describe('the fingerprints of all migrations and of one of every kind of object', () => {
  const fingerprints = async (url: string): Promise<unknown> => [
    (await buildManifest(url, await loadMigrations(migrationsDir))).migrations,
    (await buildManifest(url, sample)).migrations,
  ];

  it.each(['the bundled server', ...others])('are the same on %s', async (server) => {
    const bundled = await fingerprints(serverUrl());
    const found = server === 'the bundled server' ? fingerprints(serverUrl()) : withServer(server, fingerprints);
    expect(await found).toEqual(bundled);
  });
});
