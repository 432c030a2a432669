import { LifecycleError } from './errors.js';
import { checkAhead, compareObjects, compareSchema, type Comparison, type Difference } from './manifest-compare.js';
import type { LiveSchema } from './live-schema.js';
import type { Manifest, ManifestMigration } from './manifest.js';
import type { MigrationFile } from './migration-files.js';
import { seedChecksum } from './seeds.js';
import { controlsTransaction, refusesTransaction, statements } from './sql-lexer.js';
import { historyId, isApplied, isUnfinished, type DatabaseState, type HistoryRow } from './state.js';
import type { LifecycleSettings, Seed } from './types.js';

/** What this build brings. */
export interface Build {
  files: readonly MigrationFile[];
  manifest: Manifest | undefined;
  seeds: readonly Seed[];
  /** Highest epoch of its files. */
  epoch: number;
}

/** An unfinished row whose truth is known. `applied`: its effect is there; `rolled_back`: it is not, or may be had again. */
export interface Settlement {
  row: HistoryRow;
  file: MigrationFile;
  as: 'applied' | 'rolled_back';
  reason: string;
}

/** All there is to do, in the order it is done. Nothing in it means the database is as this build wants it. */
export interface Plan {
  adopt: readonly MigrationFile[];
  settle: readonly Settlement[];
  pending: readonly MigrationFile[];
  /** Pending although a newer file is applied. */
  outOfOrder: readonly string[];
  /** Contract files applied by stock tools leave the epoch behind. */
  raiseEpoch: number | undefined;
  repair: readonly Difference[];
  seeds: readonly Seed[];
  /** Migrations of a newer build; only set when this build may serve beside them. */
  ahead: readonly string[];
  comparison: Comparison | undefined;
}

/** A state, and what this build has to do about it. */
export interface Verdict {
  state: DatabaseState;
  plan: Plan;
}

export const isIdle = (plan: Plan): boolean =>
  plan.adopt.length === 0 &&
  plan.settle.length === 0 &&
  plan.pending.length === 0 &&
  plan.raiseEpoch === undefined &&
  plan.repair.length === 0 &&
  plan.seeds.length === 0;

const nothing: Omit<Plan, 'pending' | 'seeds'> = {
  adopt: [],
  settle: [],
  outOfOrder: [],
  raiseEpoch: undefined,
  repair: [],
  ahead: [],
  comparison: undefined,
};

/**
 * The reconcile table of the boot guide as a pure function: from what the database says and what the build brings, to
 * what is to be done. Throws a blocked `LifecycleError` where only a person can decide; it never guesses.
 */
export function reconcile(build: Build, state: DatabaseState, settings: LifecycleSettings): Plan {
  const { files, manifest } = build;
  const history = state.history ?? [];
  if (history.length === 0) return withoutHistory(build, state, settings);

  const byName = new Map(files.map((file) => [file.name, file]));
  const applied = history.filter(isApplied);
  const appliedNames = new Set(applied.map((row) => row.migration_name));
  const unfinished = history.filter((row) => isUnfinished(row) && !appliedNames.has(row.migration_name));
  const unknown = [...applied, ...unfinished].map((row) => row.migration_name).filter((name) => !byName.has(name));

  refuseEdited(applied, byName);
  const settle = unfinished.flatMap((row) => {
    const file = byName.get(row.migration_name);
    return file ? [settlement(row, file, build, state)] : [];
  });
  const settledNames = new Set(settle.filter((s) => s.as === 'applied').map((s) => s.file.name));
  const pending = files.filter((file) => !appliedNames.has(file.name) && !settledNames.has(file.name));

  if (unknown.length > 0 && pending.length > 0) throw diverged(unknown, pending);
  const newest = applied.map((row) => row.migration_name).reduce((a, b) => (a > b ? a : b), '');
  const outOfOrder = pending.map((file) => file.name).filter((name) => name < newest);
  if (outOfOrder.length > 0 && settings.outOfOrder === 'refuse') throw outOfOrderError(outOfOrder, newest);
  refuseUnsafe(pending);

  const known = applied.map((row) => byName.get(row.migration_name)?.epoch ?? 0);
  const reached = Math.max(state.minEpoch, ...known);
  if (unknown.length > 0) return aheadPlan(build, state, settings, unknown);
  if (reached > build.epoch) throw epochError(reached, build.epoch);

  const settled = pending.length === 0 && settle.length === 0;
  const comparison = settled && manifest && state.live ? compareSchema(manifest, state.live, settings) : undefined;
  return {
    ...nothing,
    settle,
    pending,
    outOfOrder,
    raiseEpoch: reached > state.minEpoch ? reached : undefined,
    repair: comparison ? repairs(comparison, settings) : [],
    seeds: dueSeeds(build.seeds, state),
    comparison,
  };
}

/** Seeds that have not run in this database, not in this version, or (repeatable) with other content. */
export function dueSeeds(seeds: readonly Seed[], state: DatabaseState): Seed[] {
  const id = historyId(state.history);
  const rows = new Map(state.seeds.map((row) => [row.name, row]));
  return seeds.filter((seed) => {
    const row = rows.get(seed.name);
    if (row?.history_id !== id || row.version < seed.version) return true;
    return seed.kind === 'repeatable' && row.version === seed.version && row.checksum !== seedChecksum(seed);
  });
}

/** Files a transaction cannot run, or that would end it: refused before the first statement of any. */
function refuseUnsafe(pending: readonly MigrationFile[]): void {
  for (const file of pending) {
    for (const statement of statements(file.sql)) {
      const line = file.sql.slice(0, statement.offset).split('\n').length;
      const details = { migration: file.name, line, quarantine: false };
      if (controlsTransaction(statement)) {
        throw new LifecycleError(
          'migration',
          `migration ${file.name}, line ${line}: ${firstWords(statement.head)} is not allowed`,
          {
            hint: 'The runner opens and commits the transaction of each file. Remove BEGIN, COMMIT and the like; nothing was executed.',
            details,
          },
        );
      }
      if (file.lane === 'transactional' && refusesTransaction(statement)) {
        throw new LifecycleError(
          'migration',
          `migration ${file.name}, line ${line}: ${firstWords(statement.head)} cannot run inside a transaction`,
          {
            hint: 'Put the statement alone into a file that begins with "-- lifecycle: no-transaction"; nothing was executed.',
            details,
          },
        );
      }
    }
  }
}

const firstWords = (head: string): string => head.split(' ').slice(0, 4).join(' ');

function withoutHistory(build: Build, state: DatabaseState, settings: LifecycleSettings): Plan {
  if (state.minEpoch > build.epoch) throw epochError(state.minEpoch, build.epoch);
  const fresh = { ...nothing, pending: build.files, seeds: build.seeds };
  refuseUnsafe(build.files);
  if (state.empty) return fresh;
  const stages = build.manifest?.migrations ?? [];
  // The first stage that fits: later ones with the same structure only change data, and must still run.
  const stage = stages.findIndex((m) => m.after === state.fingerprint);
  if (stage >= 0 && settings.adopt === 'exact') {
    const names = new Set(stages.slice(0, stage + 1).map((m) => m.name));
    return {
      ...fresh,
      adopt: build.files.filter((file) => names.has(file.name)),
      pending: build.files.filter((file) => !names.has(file.name)),
    };
  }
  throw adoptionError(build, state, stages[stage]);
}

const strictly = (manifest: Manifest, live: LiveSchema): Comparison =>
  compareObjects(manifest.objects, live.objects, { drift: 'strict' });

function adoptionError(build: Build, state: DatabaseState, exact: ManifestMigration | undefined): LifecycleError {
  const { manifest } = build;
  const comparison = exact || !manifest || !state.live ? undefined : strictly(manifest, state.live);
  const shown = [...(comparison?.fatal ?? []), ...(comparison?.info ?? [])];
  return new LifecycleError(
    'decision',
    `the schema is not empty and has no migration history: ${
      exact ? `it equals the schema after ${exact.name}` : `it equals no known migration${listed(shown)}`
    }`,
    {
      code: 'P3005',
      hint: exact
        ? `Take it over with: parley db adopt --at ${exact.name} (or DB_ADOPT=exact)`
        : 'Bring the schema to a known migration first, or name the one it stands for: parley db adopt --at <migration>. An empty database needs nothing.',
      details: { nearest: exact?.name ?? manifest?.head ?? null, differences: shown },
    },
  );
}

function refuseEdited(applied: readonly HistoryRow[], byName: ReadonlyMap<string, MigrationFile>): void {
  const edited = applied
    .filter((row) => {
      const file = byName.get(row.migration_name);
      return file && row.checksum !== file.checksum && !file.foldedChecksums.includes(row.checksum);
    })
    .map((row) => row.migration_name);
  if (edited.length === 0) return;
  throw new LifecycleError('checksum', `applied migration edited afterwards: ${edited.join(', ')}`, {
    hint: `Put the file back as it was released and make the change in a new migration. If the edit is harmless: ${edited
      .map((name) => `parley db resolve --accept-checksum ${name}`)
      .join('; ')}`,
    details: { migrations: edited },
  });
}

function settlement(row: HistoryRow, file: MigrationFile, build: Build, state: DatabaseState): Settlement {
  const stage = build.manifest?.migrations.find((m) => m.name === file.name);
  const known = stage !== undefined && state.fingerprint !== null && stage.before !== stage.after;
  if (known && state.fingerprint === stage.after) {
    return { row, file, as: 'applied', reason: 'the schema is the one after this migration' };
  }
  if (known && state.fingerprint === stage.before) {
    return { row, file, as: 'rolled_back', reason: 'the schema is the one before this migration' };
  }
  if (file.lane === 'no-transaction' || file.idempotentData) {
    return { row, file, as: 'rolled_back', reason: 'the file may run again from any point' };
  }
  const why =
    stage === undefined || state.fingerprint === null
      ? 'the manifest does not know it'
      : known
        ? 'the schema is neither the one before nor the one after it'
        : 'it changes only data, so the schema cannot tell whether it ran';
  const comparison = known && build.manifest && state.live ? strictly(build.manifest, state.live).fatal : [];
  throw new LifecycleError(
    'decision',
    `migration ${file.name} began and did not finish, and ${why}${listed(comparison)}`,
    {
      code: 'P3009',
      hint: `Look at the database, then say what is true: parley db resolve --applied ${file.name}  or  parley db resolve --rolled-back ${file.name}`,
      details: { migration: file.name, logs: row.logs, differences: comparison },
    },
  );
}

function diverged(unknown: readonly string[], pending: readonly MigrationFile[]): LifecycleError {
  return new LifecycleError(
    'incompatible',
    `database and build have diverged: it has ${unknown.join(', ')}, which this build lacks; the build has ${pending
      .map((file) => file.name)
      .join(', ')}, which it lacks`,
    {
      hint: 'Two branches were deployed to one database. Deploy a build that has both.',
      details: { unknown, pending: pending.map((file) => file.name) },
    },
  );
}

function outOfOrderError(names: readonly string[], newest: string): LifecycleError {
  return new LifecycleError(
    'incompatible',
    `${names.join(', ')} is older than the newest applied migration ${newest}`,
    {
      hint: 'Give it a newer date, or allow it with DB_OUT_OF_ORDER=warn.',
      details: { migrations: names, newest },
    },
  );
}

const epochError = (minEpoch: number, epoch: number): LifecycleError =>
  new LifecycleError(
    'incompatible',
    `the database refuses builds below schema epoch ${minEpoch}; this one has ${epoch}`,
    {
      hint: 'A contract migration removed what this build needs. Deploy the newer build, or restore a backup from before it.',
      details: { minEpoch, epoch },
    },
  );

/** The database is newer. An older build may serve if all it needs is still there and nothing new stands in its way. */
function aheadPlan(build: Build, state: DatabaseState, settings: LifecycleSettings, unknown: readonly string[]): Plan {
  const hint = 'Deploy the newer build.';
  if (settings.ahead === 'refuse') {
    throw new LifecycleError('incompatible', `the database is ahead of this build: ${unknown.join(', ')}`, {
      hint: `${hint} DB_AHEAD=compatible lets an older build serve if it still can.`,
      details: { unknown },
    });
  }
  if (state.minEpoch > build.epoch) throw epochError(state.minEpoch, build.epoch);
  if (build.manifest && state.live) {
    const { compatible, reasons } = checkAhead(build.manifest, state.live.objects, state.minEpoch);
    if (!compatible) {
      throw new LifecycleError('incompatible', `the newer schema does not carry this build${listed(reasons)}`, {
        hint,
        details: { unknown, differences: reasons },
      });
    }
  }
  return { ...nothing, pending: [], seeds: [], ahead: [...new Set(unknown)] };
}

function repairs(comparison: Comparison, settings: LifecycleSettings): Difference[] {
  const additive = (difference: Difference): boolean => difference.kind === 'missing' || difference.kind === 'invalid';
  if (settings.repair === 'additive') {
    const missing = [...comparison.fatal, ...comparison.policy].filter(additive);
    if (comparison.fatal.every(additive)) return missing;
  }
  if (comparison.fatal.length > 0) throw schemaError(comparison.fatal);
  return [];
}

/** The schema is not the manifest's. */
export function schemaError(differences: readonly Difference[]): LifecycleError {
  return new LifecycleError('schema', `the schema is not the one this build needs${listed(differences)}`, {
    hint: differences.every((d) => d.kind === 'missing' || d.kind === 'invalid')
      ? 'Add what is missing with: parley db repair (or DB_REPAIR=additive)'
      : 'Parley never alters what exists; change it back by hand, or restore a backup.',
    details: { differences },
  });
}

const listed = (differences: readonly Difference[]): string =>
  differences.length === 0
    ? ''
    : `: ${differences
        .slice(0, 8)
        .map((d) => `${d.object} ${d.kind} (expected ${d.expected || 'nothing'}, found ${d.found || 'nothing'})`)
        .join('; ')}${differences.length > 8 ? ` and ${differences.length - 8} more` : ''}`;
