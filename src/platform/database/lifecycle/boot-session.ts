import { checkDatabase } from './check.js';
import { clientConfig, targetOf } from './connection-url.js';
import { codeOf, LifecycleError } from './errors.js';
import { MigrationLock } from './lock.js';
import { migrate } from './migrate.js';
import { checkFacts, notePooler, readFacts } from './preflight.js';
import { isIdle, reconcile, type Build, type Verdict } from './reconcile.js';
import { applySettings } from './session-settings.js';
import type { Session } from './session.js';
import { isApplied, type DatabaseState } from './state.js';
import type { LifecycleResult } from './types.js';
import { orAborted, wait } from './wait.js';

const verifyEveryMs = 2_000;

/** One connection's attempt at the whole: preflight, lock-free check, and, if there is work, the work under the lock. */
export async function bootSession(session: Session, build: Build): Promise<LifecycleResult> {
  const { run } = session;
  await preflight(session);
  run.enter('checking');
  const appRole = appRoleOf(session);
  const check = (): Promise<DatabaseState> => checkDatabase(session, appRole);
  const look = async (): Promise<Verdict> => {
    const state = await check();
    return { state, plan: reconcile(build, state, run.settings) };
  };

  if (run.settings.migrate === 'verify') return finish(session, build, await awaitOthers(session, look), true);
  const idle = async (): Promise<Verdict | undefined> => {
    try {
      const verdict = await look();
      return isIdle(verdict.plan) ? verdict : undefined;
    } catch (error) {
      if (mayBeHalfSeen(error)) return undefined;
      throw error;
    }
  };
  const ready = await idle();
  if (ready) return finish(session, build, ready, true);

  await orAborted(run.options.mayWrite ?? Promise.resolve(), run.signal);
  if (!session.direct) return finish(session, build, await migrate(session, build, check, undefined), false);
  run.enter('waiting_lock');
  const lock = new MigrationLock(session);
  if (!(await lock.acquire(async () => (await idle()) !== undefined))) {
    return finish(session, build, await look(), true);
  }
  const done = await migrate(session, build, check, lock);
  await lock.release();
  return finish(session, build, done, false);
}

/** Learns what is at the other end, and refuses what cannot work. */
export async function preflight(session: Session): Promise<void> {
  const { run } = session;
  run.enter('preflight');
  const facts = await readFacts(session, run.schema);
  session.serverPid = facts.pid;
  session.found = facts.found;
  run.report({ event: 'db.connected', attempt: run.connectAttempts, serverVersion: facts.versionText, pid: facts.pid });
  // A pooler answers with a process of its own choice, not the one that greeted us.
  session.direct = facts.pid === session.greetedBy;
  if (!session.direct) notePooler(run);
  checkFacts(run, facts);
  await applySettings(session);
}

/** The role the application connects as, if it is another one: it must have rights on every table. */
export function appRoleOf({ run: { options } }: Session): string | undefined {
  return options.appConnectionString === undefined
    ? undefined
    : targetOf(clientConfig(options.appConnectionString, 'DATABASE_URL'), 'DATABASE_URL').user;
}

/**
 * Without the lock a verdict may rest on somebody else's half-seen change, and the catalog may change while it is read.
 * Such an answer is not final: it is asked again under the lock.
 */
const mayBeHalfSeen = (error: unknown): boolean =>
  error instanceof LifecycleError || ['XX000', '42P01', '42704', '3F000'].includes(codeOf(error) ?? '');

/** Verify mode: somebody else migrates; this process only looks, every 2 s, and never locks or writes. */
async function awaitOthers({ run }: Session, look: () => Promise<Verdict>): Promise<Verdict> {
  for (;;) {
    const verdict = await look();
    const { plan } = verdict;
    if (isIdle(plan)) return verdict;
    const waiting = [...plan.pending.map((file) => file.name), ...plan.seeds.map((seed) => `seed ${seed.name}`)];
    run.waitFor(
      new LifecycleError('no_progress', `nobody applied what is pending: ${waiting.join(', ') || 'a repair'}`, {
        hint: 'This process runs with DB_MIGRATE=verify; run: parley db migrate',
      }),
    );
    run.detail({ hint: `waiting for: ${waiting.join(', ')}` });
    await wait(verifyEveryMs, run.signal);
  }
}

/** The state is the wanted one: report what is notable, and send the marker that ends the lifecycle's statements. */
async function finish(
  session: Session,
  build: Build,
  { state, plan }: Verdict,
  fastPath: boolean,
): Promise<LifecycleResult> {
  const { run } = session;
  for (const severity of ['policy', 'info'] as const) {
    for (const { object, expected, found, command } of plan.comparison?.[severity] ?? []) {
      run.report(
        { event: 'schema.drift', severity, object, expected, found, command },
        severity === 'policy' ? 'warn' : 'info',
      );
    }
  }
  const ahead = plan.ahead.length > 0;
  if (ahead) run.report({ event: 'schema.ahead', unknown: plan.ahead, minEpoch: state.minEpoch, epoch: build.epoch });
  await session.query("SELECT 'parley:schema-verified'");
  const applied = new Set((state.history ?? []).filter(isApplied).map((row) => row.migration_name));
  const head = build.files.findLast((file) => applied.has(file.name))?.name ?? null;
  const { epoch } = build;
  const { fingerprint } = state;
  run.enter('verified');
  run.report({ event: 'schema.verified', head, epoch, fingerprint, fastPath, ahead });
  return {
    head,
    epoch,
    fingerprint,
    ahead,
    pooler: !session.direct,
    applied: run.applied,
    seeded: run.seeded,
    fastPath,
    phases: run.phases,
  };
}
