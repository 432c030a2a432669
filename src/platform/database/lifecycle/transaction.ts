import { DatabaseError, type QueryResult } from 'pg';

import { codeOf, LifecycleError } from './errors.js';
import { takeTransactionKeys } from './lock.js';
import type { Session } from './session.js';
import { sessionSettings, setting, settingsSql } from './session-settings.js';
import { backoff, wait } from './wait.js';

/** Lock timeout, deadlock, serialisation failure: the transaction left nothing behind and may be repeated as a whole. */
export const isLockError = (error: unknown): boolean => ['55P03', '40P01', '40001'].includes(codeOf(error) ?? '');

export interface TransactionOptions {
  /** Shown to those who wait: "3/12". */
  step?: string;
  statementTimeoutMs?: number;
  /**
   * A later transaction of this run makes it durable: the log is written in order, so nothing that builds on this one can
   * outlast it. A server that crashes in between has lost it whole.
   */
  flushedLater?: boolean;
  /** The work runs a script of others, which may have changed any setting: they are put back with the COMMIT. */
  foreign?: boolean;
  /**
   * Runs first. On a direct connection it travels in the message that opens the transaction; behind a pooler, where the
   * keys come before any work, it is left to `work`.
   */
  script?: string;
}

export interface OpenTransaction {
  /** A statement that only takes effect `WHERE pg_current_xact_id_if_assigned()::text = xid` proves it is the same one. */
  xid: string;
  /** A last statement, sent in the message that commits; should it fail, nothing is committed. */
  last: (sql: string) => void;
}

/** A script ended the transaction it ran in. What it did before that is committed. */
export const brokenTransaction = (): LifecycleError =>
  new LifecycleError('migration', 'the script ended the transaction it runs in (a hidden COMMIT or ROLLBACK)', {
    hint: 'Remove the transaction control; what ran before it is committed, so look at the database.',
  });

/**
 * Runs `work` in one transaction which ends with COMMIT, or leaves nothing behind. Behind a transaction pooler the
 * transaction first takes both keys, since no lock outlives it there; `work` must then look again whether it is needed.
 */
export async function inTransaction<T>(
  session: Session,
  options: TransactionOptions,
  work: (tx: OpenTransaction) => Promise<T>,
): Promise<T> {
  const { run } = session;
  try {
    const xid = await begin(session, options);
    const ending: string[] = [];
    const result = await work({ xid, last: (sql) => ending.push(sql) });
    if (!session.inTransaction()) throw brokenTransaction();
    ending.push('COMMIT');
    if (options.foreign && session.direct) ending.push(sessionSettings(session));
    await session.query(ending.join(';\n'));
    return result;
  } catch (error) {
    await session.rollback();
    run.signal.throwIfAborted();
    throw error;
  }
}

async function begin(session: Session, options: TransactionOptions): Promise<string> {
  const { run } = session;
  const local: [string, string][] = [
    ['lock_timeout', `${run.settings.migrationLockTimeoutMs}`],
    ['statement_timeout', `${options.statementTimeoutMs ?? 0}`],
  ];
  if (options.flushedLater) local.push(['synchronous_commit', 'off']);
  if (options.step !== undefined) local.push(['application_name', `${session.name} ${options.step}`]);
  const opening = [
    'BEGIN',
    ...(session.direct ? [] : [settingsSql(session, 'LOCAL')]),
    setting(local, 'LOCAL'),
    'SELECT pg_backend_pid() AS pid, pg_current_xact_id()::text AS xid',
  ];
  for (;;) {
    const results = await opened(session, `${opening.join(';\n')};\n`, session.direct ? options.script : undefined);
    const row = results[opening.length - 1]?.rows[0] as { pid: number; xid: string } | undefined;
    if (!row) throw new Error('BEGIN answered nothing');
    session.serverPid = row.pid;
    if (session.direct || (await takeTransactionKeys(session))) return row.xid;
    await session.rollback();
    await wait(backoff(0, { base: 600, floor: 100, cap: 600 }), run.signal);
  }
}

/** The server counts from the start of the message; whoever reads the error counts from the start of the script. */
async function opened(session: Session, opening: string, script = ''): Promise<QueryResult[]> {
  try {
    return await session.script(`${opening}${script}`);
  } catch (error) {
    if (error instanceof DatabaseError && error.position !== undefined) {
      const position = Number(error.position) - opening.length;
      error.position = position > 0 ? `${position}` : undefined;
    }
    throw error;
  }
}

/** Repeats a whole unit of work after lock errors. Nothing else is ever repeated in place. */
export async function retryingLockErrors<T>(
  session: Session,
  onRetry: (retry: { code: string; attempt: number; delayMs: number; error: unknown }) => void | Promise<void>,
  work: () => Promise<T>,
): Promise<T> {
  const { settings, signal } = session.run;
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isLockError(error) || attempt > settings.migrationLockRetries) throw error;
      const delayMs = Math.round(backoff(attempt - 1, { base: 1_000, floor: 500, cap: 15_000 }));
      await onRetry({ code: codeOf(error) ?? '', attempt, delayMs, error });
      session.run.progress();
      await wait(delayMs, signal);
    }
  }
}
