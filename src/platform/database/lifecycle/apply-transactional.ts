import { audit } from './audit.js';
import { History } from './history.js';
import type { MigrationFile } from './migration-files.js';
import { migrationFailed } from './migration-failure.js';
import type { Session } from './session.js';
import { brokenTransaction, inTransaction, retryingLockErrors } from './transaction.js';

/**
 * Script and history row in one explicit transaction: a crash at any instant leaves both or neither. Two messages: BEGIN
 * and the file, which is never split; then the row and COMMIT. `prelude` goes before the file in the same transaction.
 * Answers false when another replica had already applied it (only possible behind a pooler).
 */
export async function applyTransactional(
  session: Session,
  file: MigrationFile,
  { step, flushedLater = false, prelude }: { step: string; flushedLater?: boolean; prelude?: string },
): Promise<boolean> {
  const { run } = session;
  const history = new History(session);
  const first = prelude ?? file.sql;
  try {
    return await retryingLockErrors(
      session,
      ({ code, attempt, delayMs }) =>
        run.report({ event: 'migration.lock_retry', migration: file.name, code, attempt, delayMs }),
      () =>
        inTransaction(
          session,
          {
            step,
            statementTimeoutMs: run.settings.migrationStatementTimeoutMs,
            flushedLater,
            foreign: true,
            script: first,
          },
          async ({ xid, last }) => {
            if (!session.direct) {
              if (await history.isApplied(file.name)) return false;
              await session.query(first);
            }
            if (prelude !== undefined) await session.query(file.sql);
            if (!session.inTransaction()) throw brokenTransaction();
            if (file.epoch > 0) await raiseEpoch(session, file);
            last(history.insertApplied(file, xid));
            return true;
          },
        ),
    );
  } catch (error) {
    throw await migrationFailed(session, file, history.deniesTransaction(error) ? brokenTransaction() : error);
  }
}

/** From here on builds below the file's epoch refuse to start; in the same transaction as the change they cannot bear. */
export async function raiseEpoch(session: Session, file: Pick<MigrationFile, 'name' | 'epoch'>): Promise<void> {
  await new History(session).raiseEpoch(file.epoch);
  await audit(session, { action: 'epoch.raised', migration: file.name, detail: { epoch: file.epoch } });
}
