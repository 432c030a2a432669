import { BootRun } from './boot-run.js';
import { bootSession } from './boot-session.js';
import { loadBuild } from './build.js';
import { connect, openConnection } from './connect.js';
import { aborted, LifecycleError, messageOf } from './errors.js';
import { StandbyError } from './preflight.js';
import type { Build } from './reconcile.js';
import { ConnectionLostError } from './session.js';
import type { LifecycleOptions, LifecycleResult } from './types.js';
import { backoff, wait } from './wait.js';

/** A blocked boot looks again after this long. */
const recheckMs = 5_000;

/**
 * Takes a database from whatever it is to verified, exactly once for any number of replicas, and answers when the schema
 * is the one this build expects. Rejects with a `LifecycleError` that carries the exit code and the next step; then no
 * lock is held and nothing is half done.
 */
export async function runLifecycle(options: LifecycleOptions): Promise<LifecycleResult> {
  const run = new BootRun(options);
  try {
    run.enter('connecting');
    // The handshake goes on while the files are read.
    run.expect(options.connection ?? openConnection(options));
    const build = await loadBuild(options);
    return await holdingBlocked(run, build);
  } catch (error) {
    const failure = asFailure(run, error);
    await holdFailed(run, failure);
    throw failure;
  } finally {
    run.dispose();
  }
}

/** Blocked states wait, without a lock, for `parley db resolve|adopt|repair` in another shell; then the boot goes on. */
async function holdingBlocked(run: BootRun, build: Build): Promise<LifecycleResult> {
  const { blockedHoldMs } = run.settings;
  let giveUpAt: number | undefined;
  for (;;) {
    try {
      return await reconnecting(run, build);
    } catch (error) {
      if (!(error instanceof LifecycleError) || !error.blocked || run.signal.aborted) throw error;
      if (giveUpAt === undefined) {
        const { message, exitCode, hint } = error;
        run.report({ event: 'boot.blocked', error: message, exitCode, hint, holdMs: blockedHoldMs });
        giveUpAt = performance.now() + blockedHoldMs;
      }
      const left = giveUpAt - performance.now();
      if (left <= 0) throw error;
      run.detail({ code: `BLOCKED ${error.exitCode}`, hint: `${error.message}. ${error.hint ?? ''}` });
      await wait(Math.min(recheckMs, left), run.signal);
      run.progress();
    }
  }
}

/** A lost session is replaced: the next one reads from the history what was committed. */
async function reconnecting(run: BootRun, build: Build): Promise<LifecycleResult> {
  for (let losses = 0; ;) {
    const session = await connect(run);
    try {
      return await bootSession(session, build);
    } catch (error) {
      run.signal.throwIfAborted();
      if (error instanceof StandbyError) {
        run.waitFor(error);
        run.detail({ code: error.code, hint: error.hint });
      } else if (error instanceof ConnectionLostError) {
        run.report({ event: 'db.connection_lost', code: error.code, error: error.message });
        if (error.fenced) throw fencedError(error);
      } else throw error;
    } finally {
      await session.close();
    }
    await wait(backoff(losses++, { base: 500, floor: 100, cap: 5_000 }), run.signal);
  }
}

const fencedError = (error: ConnectionLostError): LifecycleError =>
  new LifecycleError('no_progress', 'the server ended our session because this process was silent for too long', {
    code: error.code,
    cause: error,
    hint: 'It was frozen or starved; others went on. Start it again.',
  });

function asFailure(run: BootRun, error: unknown): LifecycleError {
  // After an abort everything fails; the reason of the abort is the truth.
  const source: unknown = run.signal.aborted ? run.signal.reason : error;
  if (run.signal.aborted) return aborted(source);
  if (source instanceof LifecycleError) return source;
  return new LifecycleError('unexpected', messageOf(source), { cause: source });
}

/** Stays up a moment after a failed migration or seed, so that one probe can read why. */
async function holdFailed(run: BootRun, failure: LifecycleError): Promise<void> {
  const { message, exitCode, code, hint, kind } = failure;
  if (kind === 'terminated' || kind === 'interrupted') {
    run.report({ event: 'boot.aborted', error: message, exitCode });
    return;
  }
  run.report({ event: 'boot.failed', error: message, exitCode, code, hint });
  run.detail({ code: code ?? kind, hint: `${message}. ${hint ?? ''}` });
  if (kind !== 'migration' && kind !== 'seed') return;
  await wait(run.settings.failHoldMs, run.signal).catch(() => undefined);
}
