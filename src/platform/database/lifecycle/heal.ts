import { audit } from './audit.js';
import { LifecycleError } from './errors.js';
import type { MigrationLock } from './lock.js';
import { lifecycleTables } from './tables.js';
import type { Manifest } from './manifest.js';
import { poolerError } from './preflight.js';
import { repair, type RepairReport } from './repair.js';
import type { Session } from './session.js';
import { applySettings } from './session-settings.js';

/** Adds what the live schema lacks, under the lock; refusals (duplicates, orphans) end with exit 16 and their counts. */
export async function heal(
  session: Session,
  manifest: Manifest,
  lock: MigrationLock | undefined,
): Promise<RepairReport> {
  const { run } = session;
  if (!lock) throw poolerError('a repair builds indexes outside transactions, which needs a direct connection');
  const report = await session.use((client) =>
    repair(client, manifest, {
      schema: run.schema,
      lockTimeoutMs: run.settings.migrationLockTimeoutMs,
      audit: async ({ object, sql }, ms) => {
        run.progress();
        run.report({ event: 'schema.repaired', statement: sql, durationMs: Math.round(ms) });
        await audit(session, { action: 'schema.repaired', detail: { object, sql } });
      },
      concurrently: (work) => lock.withoutPrismaKey(work),
    }),
  );
  await applySettings(session);
  // Seeds of a table that had to be created again have to run again: their record is what says they ran.
  if (report.createdTables.length > 0) await session.query(`DELETE FROM ${lifecycleTables(run.schema).seeds}`);
  if (report.refused.length > 0) {
    const text = report.refused.map(
      ({ object, reason, rows }) => `${object}: ${reason}${rows > 0 ? ` (${rows} rows)` : ''}`,
    );
    throw new LifecycleError('schema', `repair left out what data stands against: ${text.join('; ')}`, {
      hint: `Correct the rows, then: parley db repair. ${report.refused
        .map((r) => r.query)
        .filter(Boolean)
        .join('; ')}`,
      details: { refused: report.refused },
    });
  }
  return report;
}
