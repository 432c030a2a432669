import { audit } from './audit.js';
import { History } from './history.js';
import type { MigrationFile } from './migration-files.js';
import type { Settlement } from './reconcile.js';
import type { Session } from './session.js';
import { inTransaction } from './transaction.js';

/** Ends an unfinished history row the way stock `resolve` would, now that its truth is known. */
export async function settle(session: Session, { row, file, as, reason }: Settlement): Promise<void> {
  const settled = await inTransaction(session, {}, async () => {
    const history = new History(session);
    if (!(await history.rollBackUnfinished(row.id))) return false;
    if (as === 'applied') {
      await history.insertResolved(file);
      if (file.epoch > 0) await history.raiseEpoch(file.epoch);
    }
    await audit(session, {
      action: 'history.resolved',
      migration: file.name,
      checksum: file.checksum,
      detail: { as, reason, automatic: true },
    });
    return true;
  });
  if (settled) session.run.report({ event: 'history.resolved', migration: file.name, as, reason });
}

/** Baselines: writes the history of a schema that already is what these migrations make. All rows or none. */
export async function adoptHistory(session: Session, files: readonly MigrationFile[]): Promise<void> {
  const adopted = await inTransaction(session, {}, async () => {
    const history = new History(session);
    if (!(await history.isEmpty())) return false;
    await history.ensureTable();
    for (const [index, file] of files.entries()) await history.insertResolved(file, index);
    const epoch = Math.max(0, ...files.map((file) => file.epoch));
    if (epoch > 0) await history.raiseEpoch(epoch);
    await audit(session, {
      action: 'history.adopted',
      migration: files.at(-1)?.name,
      detail: { migrations: files.map((file) => file.name) },
    });
    return true;
  });
  const through = files.at(-1)?.name ?? '';
  if (adopted) session.run.report({ event: 'history.adopted', through, count: files.length });
}
