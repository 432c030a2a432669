import { audit } from './audit.js';
import { LifecycleError } from './errors.js';
import { History } from './history.js';
import { writing } from './operate.js';
import { adoptHistory } from './settle.js';
import { isApplied, isUnfinished } from './state.js';
import { inTransaction } from './transaction.js';
import type { LifecycleOptions } from './types.js';

export interface Resolution {
  action: 'applied' | 'rolled-back' | 'retry' | 'accept-checksum';
  migration: string;
}

const refused = (code: string, message: string, hint?: string): LifecycleError =>
  new LifecycleError('decision', `${message} [${code}]`, { code, hint });

/**
 * A person's decision about one migration, written as stock `prisma migrate resolve` writes it, with the same refusals:
 * P3017 unknown file, P3008 already applied, P3011 never begun, P3012 not failed.
 */
export async function resolve(options: LifecycleOptions, { action, migration }: Resolution): Promise<void> {
  await writing(options, async ({ session, build, read }) => {
    const state = await read();
    const rows = (state.history ?? []).filter((row) => row.migration_name === migration);
    const file = build.files.find((candidate) => candidate.name === migration);
    const applied = rows.find(isApplied);
    const open = rows.filter(isUnfinished);
    const history = new History(session);
    const decided = async (work: () => Promise<void>): Promise<void> => {
      await inTransaction(session, {}, async () => {
        await work();
        await audit(session, {
          action: action === 'retry' ? 'migration.retry' : 'history.resolved',
          migration,
          ...(file ? { checksum: file.checksum } : {}),
          detail: { as: action },
        });
      });
      const as = action === 'rolled-back' ? 'rolled_back' : action === 'accept-checksum' ? 'checksum' : action;
      session.run.report({ event: 'history.resolved', migration, as, reason: 'decided by hand' });
    };

    if (action === 'applied') {
      if (!file) throw refused('P3017', `migration ${migration} is not among the files of this build`);
      if (applied) throw refused('P3008', `migration ${migration} is already recorded as applied`);
      await decided(async () => {
        await history.ensureTable();
        for (const row of open) await history.rollBackUnfinished(row.id);
        await history.insertResolved(file);
        if (file.epoch > 0) await history.raiseEpoch(file.epoch);
      });
    } else if (action === 'rolled-back') {
      if (rows.length === 0) throw refused('P3011', `migration ${migration} was never begun on this database`);
      if (open.length === 0) throw refused('P3012', `migration ${migration} is not in a failed state`);
      await decided(async () => {
        for (const row of open) await history.rollBackUnfinished(row.id);
      });
    } else if (action === 'retry') {
      if (!file) throw refused('P3017', `migration ${migration} is not among the files of this build`);
      if (applied) throw refused('P3008', `migration ${migration} is already recorded as applied`);
      await decided(async () => {
        for (const row of open) await history.rollBackUnfinished(row.id);
      });
    } else {
      if (!file) throw refused('P3017', `migration ${migration} is not among the files of this build`);
      if (!applied) throw refused('P3011', `migration ${migration} is not applied on this database`);
      await decided(() => history.acceptChecksum(applied.id, file.checksum));
    }
  });
}

export interface AdoptReport {
  /** The last migration that is now on record, or would be. */
  through: string;
  migrations: readonly string[];
  dryRun: boolean;
}

/**
 * Takes over a schema made by other means: writes the history of migrations 1..k without running them. Without `at`,
 * the schema must equal the one after a migration exactly. With it, a person vouches.
 */
export async function adopt(
  options: LifecycleOptions,
  { at, dryRun = false }: { at?: string; dryRun?: boolean } = {},
): Promise<AdoptReport> {
  return writing(options, async ({ session, build, read }) => {
    const state = await read();
    if ((state.history ?? []).length > 0) throw refused('P3008', 'this database has a migration history already');
    if (state.empty) throw refused('P3005', 'the schema is empty; there is nothing to adopt', 'Run: parley db migrate');
    const through = at ?? build.manifest?.migrations.find((m) => m.after === state.fingerprint)?.name;
    if (through === undefined) {
      throw refused(
        'P3005',
        'the schema equals no known migration',
        'See the difference with: parley db verify. To vouch for it: parley db adopt --at <migration>',
      );
    }
    const end = build.files.findIndex((file) => file.name === through);
    if (end < 0) throw refused('P3017', `migration ${through} is not among the files of this build`);
    const files = build.files.slice(0, end + 1);
    if (!dryRun) await adoptHistory(session, files);
    return { through, migrations: files.map((file) => file.name), dryRun };
  });
}
