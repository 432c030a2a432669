import { codeOf, LifecycleError, messageOf } from './errors.js';
import { seedChecksum } from './seeds.js';
import type { Session } from './session.js';
import { ConnectionLostError } from './session.js';
import { lifecycleTables } from './tables.js';
import { brokenTransaction, inTransaction, retryingLockErrors } from './transaction.js';
import type { Seed, SeedTransaction } from './types.js';

const readHistoryId = (history: string): string =>
  `SELECT id FROM ${history} WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL ORDER BY started_at LIMIT 1`;

/** Runs one seed and records it in the same transaction. Answers false when another replica was first (pooler only). */
export async function applySeed(session: Session, seed: Seed, step: string): Promise<boolean> {
  const { run } = session;
  const t = lifecycleTables(run.schema);
  const started = performance.now();
  const tx: SeedTransaction = {
    query: async <Row extends object>(sql: string, values?: readonly unknown[]) => {
      const { rows, rowCount } = await session.query(sql, values);
      return { rows: (rows ?? []) as Row[], rowCount: rowCount ?? 0 };
    },
  };
  try {
    const ran = await retryingLockErrors(
      session,
      ({ code, attempt, delayMs }) =>
        run.report({ event: 'migration.lock_retry', migration: `seed ${seed.name}`, code, attempt, delayMs }),
      () =>
        inTransaction(session, { step, foreign: true }, async ({ xid }) => {
          const historyId = (await session.query<{ id: string }>(readHistoryId(t.history))).rows[0]?.id ?? '';
          if (!session.direct && (await isDone(session, t.seeds, seed, historyId))) return false;
          await seed.run(tx);
          if (!session.inTransaction()) throw brokenTransaction();
          const { rowCount } = await session.query(
            `INSERT INTO ${t.seeds} (name, version, checksum, kind, app_version, duration_ms, history_id)
             SELECT $1, $2, $3, $4, $5, $6, $7 WHERE pg_current_xact_id_if_assigned()::text = $8
             ON CONFLICT (name) DO UPDATE SET version = excluded.version, checksum = excluded.checksum, kind = excluded.kind,
               applied_at = excluded.applied_at, app_version = excluded.app_version,
               duration_ms = excluded.duration_ms, history_id = excluded.history_id`,
            [
              seed.name,
              seed.version,
              seedChecksum(seed),
              seed.kind,
              run.options.appVersion,
              Math.round(performance.now() - started),
              historyId,
              xid,
            ],
          );
          if (rowCount !== 1) throw brokenTransaction();
          return true;
        }),
    );
    if (ran) {
      const durationMs = Math.round(performance.now() - started);
      run.report({ event: 'seed.applied', seed: seed.name, version: seed.version, durationMs });
      run.seeded.push(seed.name);
    }
    return ran;
  } catch (error) {
    if (error instanceof ConnectionLostError || run.signal.aborted) throw error;
    const code = codeOf(error);
    throw new LifecycleError('seed', `seed ${seed.name} failed: ${code ? `${code}: ` : ''}${messageOf(error)}`, {
      code,
      cause: error,
      hint: 'It was rolled back whole; the next boot runs it again.',
      details: { seed: seed.name },
    });
  }
}

async function isDone(session: Session, table: string, seed: Seed, historyId: string): Promise<boolean> {
  const { rowCount } = await session.query(
    `SELECT FROM ${table} WHERE name = $1 AND history_id = $2 AND version >= $3 AND (kind = 'once' OR checksum = $4)`,
    [seed.name, historyId, seed.version, seedChecksum(seed)],
  );
  return (rowCount ?? 0) > 0;
}
