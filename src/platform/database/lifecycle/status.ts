import { compareSchema, type Comparison } from './manifest-compare.js';
import { LifecycleError } from './errors.js';
import { readHolders } from './lock-holders.js';
import { looking } from './operate.js';
import { isIdle, reconcile, type Build, type Plan } from './reconcile.js';
import type { Session } from './session.js';
import { statements } from './sql-lexer.js';
import { isApplied, isUnfinished, type DatabaseState } from './state.js';
import type { LifecycleOptions, LockHolder } from './types.js';

export interface MigrationStatus {
  name: string;
  state: 'applied' | 'pending' | 'unfinished' | 'unknown';
  /** The file was changed after it was applied. */
  edited: boolean;
  finishedAt?: string;
  /** Why it will not run again by itself. */
  quarantined?: string;
}

export interface AppConnection {
  application: string;
  version: string;
  epoch: number;
  count: number;
}

export interface Status {
  migrations: readonly MigrationStatus[];
  seeds: readonly { name: string; version: number; due: boolean }[];
  epoch: number;
  minEpoch: number;
  fingerprint: string | null;
  lock: readonly LockHolder[];
  comparison: Comparison | null;
  /** What keeps a boot from going on by itself. */
  blocked: { message: string; exitCode: number; hint?: string } | null;
  /** Replicas that serve now. */
  connections: readonly AppConnection[];
  /** Nothing to do: the `status` command exits 0, otherwise 3. */
  upToDate: boolean;
}

/** Everything about a database and this build, read without a lock. */
export async function status(options: LifecycleOptions): Promise<Status> {
  return looking(options, async ({ session, build, read }) => {
    const state = await read();
    const verdict = judge(build, state, session);
    const comparison =
      build.manifest && state.live ? compareSchema(build.manifest, state.live, session.run.settings) : null;
    return {
      migrations: migrationStates(build, state),
      seeds: build.seeds.map((seed) => ({
        name: seed.name,
        version: seed.version,
        due: verdict.plan?.seeds.some((due) => due.name === seed.name) ?? false,
      })),
      epoch: build.epoch,
      minEpoch: state.minEpoch,
      fingerprint: state.fingerprint,
      lock: await readHolders(session),
      comparison,
      blocked: verdict.blocked,
      connections: await appConnections(session),
      upToDate: verdict.plan !== null && isIdle(verdict.plan),
    };
  });
}

function judge(
  build: Build,
  state: DatabaseState,
  session: Session,
): { plan: Plan; blocked: null } | { plan: null; blocked: NonNullable<Status['blocked']> } {
  try {
    return { plan: reconcile(build, state, session.run.settings), blocked: null };
  } catch (error) {
    if (!(error instanceof LifecycleError)) throw error;
    const { message, exitCode, hint } = error;
    return { plan: null, blocked: { message, exitCode, ...(hint === undefined ? {} : { hint }) } };
  }
}

function migrationStates(build: Build, state: DatabaseState): MigrationStatus[] {
  const rows = state.history ?? [];
  const names = new Set([...build.files.map((file) => file.name), ...rows.map((row) => row.migration_name)]);
  return [...names].sort().flatMap((name): MigrationStatus[] => {
    const file = build.files.find((candidate) => candidate.name === name);
    const mine = rows.filter((row) => row.migration_name === name);
    const applied = mine.find(isApplied);
    if (!file && !applied && !mine.some(isUnfinished)) return [];
    const quarantined = state.quarantined.find((q) => q.migration === name && q.checksum === file?.checksum)?.error;
    const edited =
      file !== undefined &&
      applied !== undefined &&
      ![file.checksum, ...file.foldedChecksums].includes(applied.checksum);
    return [
      {
        name,
        state: file ? (applied ? 'applied' : mine.some(isUnfinished) ? 'unfinished' : 'pending') : 'unknown',
        edited,
        ...(applied?.finished_at ? { finishedAt: applied.finished_at } : {}),
        ...(quarantined === undefined || applied ? {} : { quarantined }),
      },
    ];
  });
}

/** Replicas name themselves `parley/app/<version>/e<epoch>`; before a contract file those below its epoch must be gone. */
async function appConnections(session: Session): Promise<AppConnection[]> {
  const { rows } = await session.query<{ application: string; count: number }>(
    `SELECT application_name AS application, count(*)::int AS count FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'parley/app/%' GROUP BY 1 ORDER BY 1`,
  );
  return rows.flatMap(({ application, count }) => {
    const [, version, epoch] = /^parley\/app\/(.*)\/e(\d+)$/.exec(application) ?? [];
    return version === undefined ? [] : [{ application, version, epoch: Number(epoch), count }];
  });
}

export interface PlannedFile {
  name: string;
  lane: string;
  /** 0 for an expand file. */
  epoch: number;
  sql: string;
  /** Strongest table locks its statements take, in words. */
  locks: readonly string[];
  warnings: readonly string[];
}

export interface PlanReport {
  files: readonly PlannedFile[];
  seeds: readonly string[];
  actions: readonly string[];
}

/** What a boot would do now. Throws what would block it. */
export async function plan(options: LifecycleOptions): Promise<PlanReport> {
  return looking(options, async ({ session, build, read }) => {
    const found = reconcile(build, await read(), session.run.settings);
    const connections = await appConnections(session);
    return {
      files: found.pending.map((file) => ({
        name: file.name,
        lane: file.lane,
        epoch: file.epoch,
        sql: file.sql,
        locks: statements(file.sql).map((statement) => `${lockOf(statement.head)}: ${statement.head.slice(0, 60)}`),
        warnings: connections
          .filter((c) => c.epoch < file.epoch)
          .map((c) => `${c.count} connections of version ${c.version} (epoch ${c.epoch}) will be refused after it`),
      })),
      seeds: found.seeds.map((seed) => seed.name),
      actions: [
        ...found.settle.map((s) => `settle ${s.file.name} as ${s.as}: ${s.reason}`),
        ...found.adopt.map((file) => `adopt ${file.name}`),
        ...found.repair.map((difference) => `repair ${difference.object}`),
      ],
    };
  });
}

/** After https://www.postgresql.org/docs/current/explicit-locking.html; what is not listed takes the strongest. */
const tableLocks: readonly (readonly [RegExp, string])[] = [
  [/^(CREATE (UNIQUE )?INDEX|DROP INDEX|REINDEX).* CONCURRENTLY/, 'no lock that readers or writers notice'],
  [/^CREATE (UNIQUE )?INDEX/, 'writers wait'],
  [/^ALTER TABLE.* VALIDATE CONSTRAINT/, 'no lock that readers or writers notice'],
  [/^(CREATE TRIGGER|ALTER TABLE.* ADD CONSTRAINT.* FOREIGN KEY)/, 'writers wait'],
  [/^CREATE (OR REPLACE )?(TABLE|TYPE|SEQUENCE|SCHEMA|EXTENSION|FUNCTION|VIEW|PROCEDURE)/, 'nobody waits (new object)'],
  [/^(INSERT|UPDATE|DELETE|SELECT|WITH|COMMENT)/, 'rows only'],
  [/^DO\b/, 'depends on the block'],
];
const lockOf = (head: string): string =>
  tableLocks.find(([pattern]) => pattern.test(head))?.[1] ?? 'readers and writers wait';

export interface VerifyReport {
  ok: boolean;
  fingerprint: string | null;
  comparison: Comparison | null;
  problem: { message: string; exitCode: number; hint?: string } | null;
}

/** Is the schema the manifest's, with nothing pending? Changes nothing; `ok: false` is exit 3 for the command line. */
export async function verify(options: LifecycleOptions): Promise<VerifyReport> {
  const found = await status(options);
  const pending = found.migrations.filter((m) => m.state !== 'applied').map((m) => m.name);
  return {
    ok: found.upToDate,
    fingerprint: found.fingerprint,
    comparison: found.comparison,
    problem:
      found.blocked ??
      (found.upToDate ? null : { message: `not yet done: ${pending.join(', ') || 'seeds'}`, exitCode: 3 }),
  };
}
