import { audit } from './audit.js';
import { codeOf, LifecycleError, messageOf } from './errors.js';
import { History } from './history.js';
import type { MigrationFile } from './migration-files.js';
import { ConnectionLostError, type Session } from './session.js';
import { createHome, lifecycleTables } from './tables.js';
import { inTransaction, isLockError } from './transaction.js';

interface ServerFault {
  code?: string;
  message: string;
  line?: number;
  position?: number;
  detail?: string;
  where?: string;
}

/** Where in the file the server stopped. `offset`: where the statement that was sent begins in it. */
export function locate(error: unknown, file: MigrationFile, offset = 0): ServerFault {
  const fields = error as { position?: string; detail?: string; where?: string };
  const position = fields.position === undefined ? undefined : Number(fields.position) + offset;
  return {
    code: codeOf(error),
    message: messageOf(error),
    position,
    line: position === undefined ? undefined : file.sql.slice(0, position - 1).split('\n').length,
    detail: fields.detail,
    where: fields.where,
  };
}

/** Trouble of the environment: class 08, 53, 57, 58, and locks. The next boot may well succeed with the same file. */
const isEnvironment = (code: string | undefined, error: unknown): boolean =>
  /^(08|53|57|58)/.test(code ?? '') || isLockError(error) || error instanceof ConnectionLostError;

/**
 * Records a failed file, which has been rolled back, and answers the error that ends the boot. An error that would come
 * again puts the file, with this checksum, into quarantine. A lost connection or an abort is passed on untouched.
 */
export async function migrationFailed(
  session: Session,
  file: MigrationFile,
  error: unknown,
  context: { offset?: number; extra?: string; unfinishedId?: string } = {},
): Promise<unknown> {
  const { run } = session;
  if (error instanceof ConnectionLostError || run.signal.aborted) return error;
  const fault = locate(error, file, context.offset);
  const quarantined = !isEnvironment(fault.code, error);
  const place = fault.line === undefined ? '' : `, line ${fault.line}`;
  const text = [`${fault.code ? `${fault.code}: ` : ''}${fault.message}`, context.extra].filter(Boolean).join('; ');
  run.report({
    event: 'migration.failed',
    migration: file.name,
    code: fault.code,
    error: text,
    line: fault.line,
    quarantined,
  });
  const logs = [text, place.slice(2), fault.detail, fault.where].filter(Boolean).join('\n');
  await inTransaction(session, {}, async () => {
    // The tables may have been part of what was rolled back.
    await session.query(createHome(lifecycleTables(run.schema)));
    const history = new History(session);
    if (context.unfinishedId !== undefined) await history.failUnfinished(context.unfinishedId, logs);
    else if (await history.exists()) await history.insertFailed(file, logs);
    await audit(session, {
      action: quarantined ? 'migration.quarantined' : 'migration.failed',
      migration: file.name,
      checksum: file.checksum,
      detail: { error: text, code: fault.code, line: fault.line, position: fault.position },
    });
  });
  return new LifecycleError('migration', `migration ${file.name}${place} failed: ${text}`, {
    code: fault.code,
    cause: error,
    hint: quarantined
      ? `It was rolled back and will not run again as it is. Correct the file if it was never released; or correct the data, then: parley db resolve --retry ${file.name}`
      : 'It was rolled back; the next boot tries again.',
    details: { migration: file.name, line: fault.line, quarantined },
  });
}

/** The refusal to run a file that failed before and has not changed. */
export const quarantineError = (file: MigrationFile, failed: { error: string; code: string | null }): LifecycleError =>
  new LifecycleError('migration', `migration ${file.name} failed before and was not run again: ${failed.error}`, {
    code: failed.code ?? undefined,
    hint: `Correct the file if it was never released; or correct the data, then: parley db resolve --retry ${file.name}`,
    details: { migration: file.name, quarantined: true },
  });
