import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { root } from '../support/server-process.js';
import { ackBeforeCommit, type Bug, copyBuild, noDedupe, skippedBroadcast } from './planted.js';
import { describe as describeVerdict, run, type RunOptions, type Verdict } from './run.js';

// A machine that is shared says nothing about time; `npm run check:consistency` asks for the 6 s of the protocol.
const LIMITS = { repairMs: 20_000 };

async function runWith(name: string, options: Partial<RunOptions>, bug?: Bug): Promise<Verdict> {
  const seed = `${name}-${randomBytes(3).toString('hex')}`;
  return run({
    seed,
    seconds: 10,
    replicas: 2,
    bus: 'pg',
    entry: copyBuild(name, bug),
    path: join(root, 'test/.artifacts/checker', `${seed}.jsonl`),
    operationsPerSecond: 25,
    limits: LIMITS,
    ...options,
  });
}

describe('consistency', () => {
  it('holds on three replicas whatever fails', async () => {
    const verdict = await runWith('bounded', { seconds: 45, replicas: 3 });
    expect(describeVerdict(verdict)).toMatch(/^I1 to I13 hold/);
    expect(verdict.counts.acked).toBeGreaterThan(100);
  });

  it('holds with a Redis that is killed, frozen and emptied', async () => {
    const faults = ['Redis killed', 'Redis frozen', 'Redis emptied', 'clients cut off', 'replica killed'];
    const verdict = await runWith('redis', { seconds: 20, bus: 'redis', faults });
    expect(describeVerdict(verdict)).toMatch(/^I1 to I13 hold/);
  });
});

describe('the checker finds', () => {
  const planted: [what: string, invariant: string, name: string, bug: Bug, faults: string[]][] = [
    ['an ack before the commit', 'I1', 'early-ack', ackBeforeCommit, ['database connections cut']],
    ['a broadcast that was skipped', 'I4', 'skipped', skippedBroadcast, ['clients cut off']],
    ['a dedupe that was removed', 'I3', 'no-dedupe', noDedupe, ['clients cut off', 'clients in a black hole']],
  ];
  // One of the bugs is in the schema, which would be noticed.
  const environment = { SCHEMA_GUARD_INTERVAL_MS: '86400000' };
  it.each(planted)('%s (%s)', async (_what, invariant, name, bug, faults) => {
    const verdict = await runWith(name, { faults, pauseMs: { min: 100, max: 600 }, environment }, bug);
    expect(verdict.violations.map((violation) => violation.invariant)).toContain(invariant);
  });
});
