/**
 * The program of one replica: runs the lifecycle with the options it is given and tells everything on stdout, one JSON
 * line each. Faults are real: it kills or freezes itself at the statement the test names.
 */
import { Client } from 'pg';
import { LifecycleError } from '../../../src/platform/database/lifecycle/errors.js';
import { runLifecycle } from '../../../src/platform/database/lifecycle/run-lifecycle.js';
import type { LifecycleOptions, Seed } from '../../../src/platform/database/lifecycle/types.js';

export interface ReplicaSpec extends Omit<LifecycleOptions, 'seeds' | 'signal' | 'connection' | 'report' | 'onPhase'> {
  /** Each writes one ledger row. */
  seedNames?: string[];
  fault?: {
    /** The statement it happens at, a regular expression. */
    at: string;
    /** `before` it is sent, `sent` right after, `answered` once its result is here. */
    when: 'before' | 'sent' | 'answered';
    signal: NodeJS.Signals;
    /** Only at the nth match; default 1. */
    nth?: number;
  };
  /** What the clock of its machine is ahead or behind, as libfaketime writes it: `+1h`. */
  clock?: '+1h' | '-1h';
}

const spec = JSON.parse(process.env.REPLICA ?? '{}') as ReplicaSpec;
const tell = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

// Where the clock of the machine cannot be shifted, at least that of its Node is.
if (spec.clock && process.env.LD_PRELOAD === undefined) {
  const now = Date.now.bind(Date);
  const offset = spec.clock === '+1h' ? 3_600_000 : -3_600_000;
  Date.now = () => now() + offset;
}

if (spec.fault) {
  const { at, when, signal, nth = 1 } = spec.fault;
  const pattern = new RegExp(at, 's');
  const original: unknown = Reflect.get(Client.prototype, 'query');
  const query = original as (this: Client, ...args: unknown[]) => unknown;
  let seen = 0;
  const strike = (): void => {
    process.kill(process.pid, signal);
  };
  Client.prototype.query = function faulty(this: Client, ...args: unknown[]): unknown {
    const [first] = args;
    const text = typeof first === 'string' ? first : ((first as { text?: string } | undefined)?.text ?? '');
    if (!pattern.test(text) || ++seen !== nth) return query.apply(this, args);
    if (when === 'before') {
      strike();
      // A signal that does not kill is heard before the statement goes out.
      if (signal === 'SIGTERM')
        return new Promise((resolve) => setTimeout(resolve, 20)).then(() => query.apply(this, args));
    }
    const result = query.apply(this, args) as Promise<unknown>;
    if (when === 'sent') setTimeout(strike, 5);
    return when === 'answered' ? result.finally(strike) : result;
  } as typeof Client.prototype.query;
}

const abort = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (abort.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
    abort.abort(signal);
  });
}

const seeds = (spec.seedNames ?? []).map((name): Seed => ({
  name,
  version: 1,
  kind: 'once',
  run: async (tx) => {
    await tx.query(`INSERT INTO ledger.entry (what) VALUES ('seed ${name}')`);
  },
}));

try {
  const result = await runLifecycle({
    ...spec,
    seeds,
    signal: abort.signal,
    report: (event) => tell({ kind: 'event', ...event }),
    onPhase: (name, detail) => tell({ kind: 'phase', name, detail }),
  });
  tell({ kind: 'ready', result });
} catch (error) {
  const failure = error instanceof LifecycleError ? error : undefined;
  tell({
    kind: 'failed',
    exitCode: failure?.exitCode ?? 1,
    message: failure?.message ?? (error instanceof Error ? (error.stack ?? error.message) : String(error)),
    hint: failure?.hint,
    code: failure?.code,
    details: failure?.details,
  });
  process.exitCode = failure?.exitCode ?? 1;
}
