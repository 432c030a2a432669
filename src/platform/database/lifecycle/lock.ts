import type { BootRun } from './boot-run.js';
import { LifecycleError } from './errors.js';
import { describeHolders, readHolders } from './lock-holders.js';
import { appKey, prismaKey } from './lock-keys.js';
import type { Session } from './session.js';
import type { LockHolder } from './types.js';
import { wait } from './wait.js';

const recheckMs = 2_000;
const announceMs = 5_000;

/**
 * Both migration locks on one direct session. Taken by polling, outside any transaction: a session that blocks in
 * `pg_advisory_lock` holds a snapshot, and `CREATE INDEX CONCURRENTLY` of the holder would deadlock with it.
 */
export class MigrationLock {
  private readonly held: number[] = [];
  private since = 0;
  private readonly run: BootRun;

  constructor(private readonly session: Session) {
    this.run = session.run;
  }

  /**
   * Waits for both keys. While waiting, `unneeded` is asked every 2 s: if the holder has done the work, nobody has to
   * queue for the lock. Answers whether the lock was taken.
   */
  async acquire(unneeded: () => Promise<boolean>): Promise<boolean> {
    const started = performance.now();
    for (const key of [appKey, prismaKey]) {
      if (!(await this.poll(key, started, unneeded))) {
        await this.release();
        return false;
      }
    }
    this.since = performance.now();
    this.run.report({ event: 'lock.acquired', waitedMs: Math.round(this.since - started) });
    return true;
  }

  /**
   * Gives stock Prisma's key away while `work` runs. A stock `migrate deploy` that blocks on it would deadlock with a
   * concurrent index build; one that gets it stops at the unfinished history row.
   */
  async withoutPrismaKey<T>(work: () => Promise<T>): Promise<T> {
    await this.unlock(prismaKey);
    const result = await work();
    await this.poll(prismaKey, performance.now(), () => Promise.resolve(false));
    return result;
  }

  async release(): Promise<void> {
    const wasComplete = this.held.length === 2;
    for (const key of [...this.held].reverse()) await this.unlock(key);
    if (wasComplete) this.run.report({ event: 'lock.released', heldMs: Math.round(performance.now() - this.since) });
  }

  private async unlock(key: number): Promise<void> {
    const { rows } = await this.session.query<{ freed: boolean }>('SELECT pg_advisory_unlock($1::bigint) AS freed', [
      key,
    ]);
    if (rows[0]?.freed !== true)
      throw new LifecycleError('unexpected', `lock ${key} was not ours when it was released`);
    this.held.splice(this.held.indexOf(key), 1);
  }

  private async poll(key: number, started: number, unneeded: () => Promise<boolean>): Promise<boolean> {
    const { run, session } = this;
    let pause = 200;
    let recheckAt = performance.now() + recheckMs;
    let announceAt = 0;
    let seen = '';
    for (;;) {
      const { rows } = await session.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1::bigint) AS got', [key]);
      if (rows[0]?.got) {
        this.held.push(key);
        return true;
      }
      const now = performance.now();
      const holders = await readHolders(session);
      const mark = JSON.stringify(holders.map((h) => [h.pid, h.application, h.activity]));
      if (mark !== seen || holders.some((holder) => holder.state === 'active')) run.progress();
      run.waitFor(lockError(holders, now - started));
      if (now - started > run.settings.lockTimeoutMs) throw lockError(holders, now - started);
      if (now >= announceAt || mark !== seen) {
        if (now >= announceAt) {
          run.report({ event: 'lock.waiting', waitedMs: Math.round(now - started), holders });
          announceAt = now + announceMs;
        }
        run.detail({ holder: describeHolders(holders) });
      }
      seen = mark;
      if (now >= recheckAt) {
        if (await unneeded()) return false;
        recheckAt = performance.now() + recheckMs;
      }
      await wait(pause / 2 + (Math.random() * pause) / 2, run.signal);
      pause = Math.min(2_000, pause * 1.5);
    }
  }
}

function lockError(holders: readonly LockHolder[], waitedMs: number): LifecycleError {
  const seconds = Math.round(waitedMs / 1000);
  const pids = holders.map((holder) => holder.pid);
  return new LifecycleError('lock', `waited ${seconds} s for the migration lock, held by ${describeHolders(holders)}`, {
    hint:
      pids.length > 0
        ? `If that process no longer works: SELECT pg_terminate_backend(${pids[0]}). A long migration needs a larger BOOT_LOCK_TIMEOUT_MS.`
        : 'Nobody in this database holds it now; start again.',
    details: { holders },
  });
}

/**
 * Behind a pooler: both keys for the length of the open transaction, or neither. An advisory lock does not make the
 * server process hear what others changed in the catalog since BEGIN; opening a table does. Without it `to_regclass`
 * could deny the history that the last holder of the keys has just committed.
 */
export async function takeTransactionKeys(session: Session): Promise<boolean> {
  const { rows } = await session.query<{ got: boolean }>(
    `SELECT pg_try_advisory_xact_lock(${appKey}) AND pg_try_advisory_xact_lock(${prismaKey}) AS got`,
  );
  if (rows[0]?.got !== true) return false;
  await session.query('SELECT FROM pg_class LIMIT 0');
  return true;
}
