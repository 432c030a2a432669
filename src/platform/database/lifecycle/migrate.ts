import { applyTransactional } from './apply-transactional.js';
import { applyConcurrent } from './apply-concurrent.js';
import { LifecycleError } from './errors.js';
import { heal } from './heal.js';
import { History } from './history.js';
import type { MigrationLock } from './lock.js';
import type { MigrationFile } from './migration-files.js';
import { quarantineError } from './migration-failure.js';
import { isIdle, reconcile, type Build, type Plan, type Verdict } from './reconcile.js';
import { applySeed } from './seed.js';
import type { Session } from './session.js';
import { adoptHistory, settle } from './settle.js';
import type { DatabaseState, Quarantine } from './state.js';
import type { Seed } from './types.js';
import { createHistory, createHome, lifecycleTables } from './tables.js';
import { inTransaction } from './transaction.js';

/**
 * The work, under the lock: decide anew, then settle, adopt, apply, seed, and look again. The state it answers is idle.
 * Without a lock object (behind a pooler) every transaction takes the keys for itself and looks whether it is needed.
 */
export async function migrate(
  session: Session,
  build: Build,
  check: () => Promise<DatabaseState>,
  lock: MigrationLock | undefined,
): Promise<Verdict> {
  const { run } = session;
  run.enter('reconciling');
  const state = await check();
  const plan = reconcile(build, state, run.settings);
  if (isIdle(plan)) return { state, plan };
  announce(session, plan);
  const t = lifecycleTables(run.schema);
  const missing = `${state.home ? '' : createHome(t)}${state.history === null ? createHistory(t) : ''}`;
  const [first] = plan.pending;
  // One commit less where there is nothing yet: our own tables come with the first file.
  const together = first?.lane === 'transactional' && plan.settle.length + plan.adopt.length === 0 && !plan.raiseEpoch;
  if (!state.home && !together) await inTransaction(session, {}, () => session.query(createHome(t)));
  if (plan.raiseEpoch !== undefined) await raise(session, plan.raiseEpoch);
  for (const settlement of plan.settle) await settle(session, settlement);
  if (plan.adopt.length > 0) await adoptHistory(session, plan.adopt);
  await applyAll(session, plan.pending, { quarantined: state.quarantined, lock, missing });

  return seedAndVerify(session, build, check, lock, plan);
}

/** A repair brings up seeds, and drift may only show once nothing is pending: hence at most a second round. */
async function seedAndVerify(
  session: Session,
  build: Build,
  check: () => Promise<DatabaseState>,
  lock: MigrationLock | undefined,
  plan: Plan,
): Promise<Verdict> {
  const { run } = session;
  const withoutRepair = { ...run.settings, repair: 'off' } as const;
  let { repair, seeds } = plan;
  for (let healed = false, round = 1; ; round++) {
    if (repair.length > 0 && build.manifest) {
      await heal(session, build.manifest, lock);
      healed = true;
      ({ seeds } = reconcile(build, await check(), withoutRepair));
    }
    if (seeds.length > 0) await seedAll(session, seeds);
    run.enter('verifying');
    const state = await check();
    const left = reconcile(build, state, healed ? withoutRepair : run.settings);
    if (isIdle(left)) return { state, plan: left };
    if (round === 2) throw new LifecycleError('unexpected', 'work is left although all of it was done');
    ({ repair, seeds } = left);
  }
}

/** Runs seeds in their order, each in a transaction of its own with its record. */
export async function seedAll(session: Session, seeds: readonly Seed[]): Promise<void> {
  const { run } = session;
  run.enter('seeding');
  for (const [index, seed] of seeds.entries()) {
    run.detail({ step: { i: index + 1, n: seeds.length, name: seed.name } });
    await applySeed(session, seed, `seed ${index + 1}/${seeds.length}`);
    run.progress();
  }
}

function announce({ run }: Session, plan: Plan): void {
  const actions = [
    ...plan.settle.map((s) => `settle ${s.file.name} as ${s.as}`),
    ...(plan.adopt.length > 0 ? [`adopt ${plan.adopt.length} migrations`] : []),
    ...(plan.raiseEpoch === undefined ? [] : [`raise epoch to ${plan.raiseEpoch}`]),
    ...plan.repair.map((difference) => `repair ${difference.object}`),
  ];
  const pending = plan.pending.map((file) => file.name);
  run.report({ event: 'migration.plan', pending, seeds: plan.seeds.map((seed) => seed.name), actions });
  for (const migration of plan.outOfOrder) {
    run.report({ event: 'migration.out_of_order', migration, newest: pending.at(-1) ?? '' });
  }
}

async function raise(session: Session, epoch: number): Promise<void> {
  await inTransaction(session, {}, () => new History(session).raiseEpoch(epoch));
}

async function applyAll(
  session: Session,
  pending: readonly MigrationFile[],
  {
    quarantined,
    lock,
    missing,
  }: { quarantined: readonly Quarantine[]; lock: MigrationLock | undefined; missing: string },
): Promise<void> {
  const { run } = session;
  const n = pending.length;
  if (n > 0) run.enter('migrating');
  for (const [index, file] of pending.entries()) {
    const failed = quarantined.find((q) => q.migration === file.name && q.checksum === file.checksum);
    if (failed) {
      const error = quarantineError(file, failed);
      run.report({ event: 'migration.quarantined', migration: file.name, error: failed.error, hint: error.hint ?? '' });
      throw error;
    }
    const i = index + 1;
    run.detail({ step: { i, n, name: file.name } });
    run.report({ event: 'migration.started', migration: file.name, lane: file.lane, i, n });
    const started = performance.now();
    const step = `${i}/${n}`;
    const applied =
      file.lane === 'transactional'
        ? await applyTransactional(session, file, {
            step,
            flushedLater: i < n,
            ...(index === 0 && missing !== '' ? { prelude: missing } : {}),
          })
        : await applyConcurrent(session, file, lock, step);
    if (applied) {
      const durationMs = Math.round(performance.now() - started);
      run.report({ event: 'migration.applied', migration: file.name, durationMs, i, n });
      run.applied.push(file.name);
    }
    run.progress();
  }
  // What the next look will find; it asks again if that is wrong.
  if (n > 0) session.found = { history: true, home: true, empty: false };
}
