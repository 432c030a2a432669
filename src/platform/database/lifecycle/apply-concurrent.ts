import { assertValid, builtIndex, countDuplicates, dropInvalid } from './concurrent-index.js';
import { codeOf } from './errors.js';
import { raiseEpoch } from './apply-transactional.js';
import { History } from './history.js';
import { describeHolders, readBlockedWaiters } from './lock-holders.js';
import type { MigrationLock } from './lock.js';
import type { MigrationFile } from './migration-files.js';
import { migrationFailed } from './migration-failure.js';
import { poolerError } from './preflight.js';
import { ConnectionLostError, type Session } from './session.js';
import { applySettings } from './session-settings.js';
import { statements, type Statement } from './sql-lexer.js';
import { inTransaction, isLockError, retryingLockErrors } from './transaction.js';

/**
 * The lane for statements PostgreSQL refuses in a transaction. The history row is written unfinished first, so a crash
 * shows; every statement is idempotent, so the next boot runs the file again from its beginning.
 */
export async function applyConcurrent(
  session: Session,
  file: MigrationFile,
  lock: MigrationLock | undefined,
  step: string,
): Promise<boolean> {
  if (!lock) throw poolerError(`migration ${file.name} runs outside a transaction, which needs a direct connection`);
  const history = new History(session);
  const id = await inTransaction(session, {}, async () => {
    await history.ensureTable();
    return history.insertUnfinished(file);
  });
  let current: Statement | undefined;
  try {
    await lock.withoutPrismaKey(async () => {
      // A lock timeout on a concurrent build would leave an invalid index; here waiting blocks nobody.
      await session.query(`SET lock_timeout = 0; SET application_name = '${session.name} ${step}'`);
      for (current of statements(file.sql)) {
        await runStatement(session, file, current);
        await history.countStep(id);
        session.run.progress();
      }
    });
    await inTransaction(session, {}, async () => {
      await history.finish(id);
      if (file.epoch > 0) await raiseEpoch(session, file);
    });
    await applySettings(session);
    return true;
  } catch (error) {
    if (error instanceof ConnectionLostError || session.run.signal.aborted) throw error;
    const extra = current === undefined ? undefined : await explain(session, current, error);
    const context = { offset: current?.offset ?? 0, unfinishedId: id, ...(extra === undefined ? {} : { extra }) };
    throw await migrationFailed(session, file, error, context);
  }
}

async function runStatement(session: Session, file: MigrationFile, statement: Statement): Promise<void> {
  const index = builtIndex(statement);
  await retryingLockErrors(
    session,
    ({ code, attempt, delayMs }) =>
      session.run.report({ event: 'migration.lock_retry', migration: file.name, code, attempt, delayMs }),
    async () => {
      if (index !== undefined) await dropInvalid(session, index);
      await session.query(statement.text);
      if (index !== undefined) await assertValid(session, index);
    },
  );
}

/** What an operator wants to know beside the server's words; removes what a failed index build left. */
async function explain(session: Session, statement: Statement, error: unknown): Promise<string | undefined> {
  if (isLockError(error)) {
    const blocked = await readBlockedWaiters(session);
    if (blocked.length > 0) return `blocked in pg_advisory_lock meanwhile: ${describeHolders(blocked)}`;
  }
  const index = builtIndex(statement);
  if (index === undefined) return undefined;
  const duplicates = codeOf(error) === '23505' ? await countDuplicates(session, index) : undefined;
  await dropInvalid(session, index);
  return duplicates;
}
