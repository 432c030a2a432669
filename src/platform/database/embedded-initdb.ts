import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-error.js';
import type { EmbeddedHome } from './embedded-home.js';
import { identity } from './embedded-process.js';
import { startError } from './embedded-server.js';

/**
 * Makes sure that `data/` is a database cluster of this major version and its password known. A new one is made in a
 * sibling directory and renamed, so a kill meanwhile leaves nothing that looks finished. True: newly made.
 */
export async function ensureCluster(home: EmbeddedHome, signal?: AbortSignal): Promise<boolean> {
  await sweep(home);
  const version = await readFile(join(home.data, 'PG_VERSION'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (version === undefined) {
    await create(home, signal);
    return true;
  }
  if (version.trim() !== home.binaries.major) {
    throw new EmbeddedPostgresError(
      `${home.data} belongs to PostgreSQL ${version.trim()}, this build brings PostgreSQL ${home.binaries.major}. Nothing was changed.`,
      'Run `parley backup` with the earlier build and `parley restore` with this one, or name another place with EMBEDDED_PG_DIR.',
    );
  }
  await home.load();
  return false;
}

async function create(home: EmbeddedHome, signal: AbortSignal | undefined): Promise<void> {
  const base = join(home.directory, `init-${randomBytes(4).toString('hex')}`);
  const password = randomBytes(32).toString('hex');
  await writeFile(`${base}.password`, password, { mode: 0o600 });
  const { account } = home.runner;
  if (account) await chown(`${base}.password`, account.uid, account.gid);
  const identityArgs = ['-U', home.credentials.user, `--pwfile=${base}.password`, '--auth=scram-sha-256'];
  const localeArgs = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  try {
    await run(home, ['-D', base, '--no-instructions', ...identityArgs, ...localeArgs], signal);
    await home.save({ ...home.credentials, password });
    await rename(base, home.data); // onto a directory that holds anything this fails, so nothing can be lost
  } finally {
    await rm(`${base}.password`, { force: true });
    await rm(base, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function run(home: EmbeddedHome, args: string[], signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const child = home.spawn('initdb', args, { stdio: ['ignore', 'pipe', 'pipe'], signal });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk));
  try {
    await once(child, 'close');
  } catch (error) {
    signal?.throwIfAborted();
    output += (error as Error).message;
  }
  if (child.exitCode !== 0) throw startError(home, output);
}

/** What starters left that were killed: half-made clusters and their lock files. Runs under the lock. */
async function sweep(home: EmbeddedHome): Promise<void> {
  for (const name of await readdir(home.directory)) {
    const [, starter] = /^lock\.(\d+)\./.exec(name) ?? [];
    if (name.startsWith('init-') || (starter && !identity(Number(starter)))) {
      await rm(join(home.directory, name), { recursive: true, force: true, maxRetries: 3 });
    }
  }
}
