import { type Finding, installationChecks, makePeople, type Target } from './installation-checks.js';
import type { Invocation } from './command-line.js';

const FAILED = 1;

interface CheckResult {
  check: string;
  result: 'ok' | 'failed' | 'not run';
  finding: string;
  ms: number;
}

/** Checks a running installation from outside, as its users see it. Leaves nothing behind. Exit 1 when a check fails. */
export async function verifyInstallation(target: Target, { print, note, json }: Invocation): Promise<number> {
  const results: CheckResult[] = [];
  const record = async (check: string, work: () => Promise<Finding>): Promise<boolean> => {
    const began = performance.now();
    const outcome = await work().then(
      (finding) =>
        typeof finding === 'string'
          ? ({ result: 'ok', finding } as const)
          : ({ result: 'not run', finding: finding.notRun } as const),
      (error: unknown) => ({ result: 'failed', finding: reason(error) }) as const,
    );
    const done: CheckResult = { check, ...outcome, ms: Math.round(performance.now() - began) };
    results.push(done);
    if (!json) note(describe(done));
    return done.result === 'ok';
  };
  const nobody = {} as never;
  for (const { name, run } of installationChecks.filter(({ people }) => !people))
    await record(name, () => run(target, nobody));
  await asPeople(target, record);
  const failed = results.filter(({ result }) => result === 'failed');
  print({ url: target.url, ok: failed.length === 0, checks: results }, () =>
    failed.length === 0
      ? `${target.url}: ${results.filter(({ result }) => result === 'ok').length} checks passed`
      : `${target.url}: ${failed.map(({ check }) => check).join(', ')} failed`,
  );
  return failed.length === 0 ? 0 : FAILED;
}

type Recorder = (check: string, work: () => Promise<Finding>) => Promise<boolean>;

/** The checks that need two people, who are erased afterwards whatever happens. */
async function asPeople(target: Target, record: Recorder): Promise<void> {
  const checks = installationChecks.filter(({ people }) => people);
  let made: Awaited<ReturnType<typeof makePeople>>;
  const entered = await record('accounts', async () => {
    made = await makePeople(target);
    return made ? 'two people registered and connected' : { notRun: 'registration is closed' };
  });
  if (!made) {
    const why = entered ? '' : 'nobody to make it as';
    for (const { name } of checks) await record(name, () => Promise.resolve({ notRun: why }));
    return;
  }
  const { people, leave } = made;
  try {
    for (const { name, run } of checks) await record(name, () => run(target, people));
  } finally {
    await leave();
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.message}${cause}`;
}

const marks = { ok: 'ok     ', failed: 'FAILED ', 'not run': 'not run' };
const describe = ({ check, result, finding, ms }: CheckResult): string =>
  `${marks[result]} ${check}: ${finding}${result === 'ok' ? ` (${ms} ms)` : ''}`;
