import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedPostgresError } from './embedded-error.js';
import { identity } from './embedded-process.js';

const WAIT_MS = 120_000;

/** Runs `work` while this process alone holds the lock file. The file names its holder, so that a dead one's is taken over. */
export async function withLock<T>(path: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  const own = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(own, `${process.pid} ${identity(process.pid)}`, { mode: 0o600 });
  try {
    const deadline = performance.now() + WAIT_MS;
    while (!(await acquire(own, path))) {
      signal?.throwIfAborted();
      if (performance.now() > deadline) {
        throw new EmbeddedPostgresError(
          `Another process has been starting or stopping this PostgreSQL for ${WAIT_MS / 1000} s (${path}).`,
          'Look at the process whose id the lock file holds; end it, or remove the file if it is none of Parley.',
        );
      }
      await delay(25);
    }
    try {
      return await work();
    } finally {
      await rm(path, { force: true });
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** A hard link appears whole or not at all, so nobody ever reads a lock file without its holder. */
async function acquire(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = await readFile(path, 'utf8').catch(() => undefined);
  if (holder !== undefined && !isAlive(holder)) await discard(path, holder);
  return false;
}

function isAlive(holder: string): boolean {
  const [pid, started] = holder.split(' ');
  return identity(Number(pid)) === started;
}

/**
 * Moves a dead holder's file away. If somebody replaced it since it was read, what was moved is a living holder's and is
 * put back. Should a third process slip into that instant, PostgreSQL's own lock still forbids a second server.
 */
async function discard(path: string, holder: string): Promise<void> {
  const aside = `${path}.${process.pid}.stale`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) !== holder) await link(aside, path);
  } catch {
    // Somebody else was quicker.
  } finally {
    await rm(aside, { force: true });
  }
}
