import { setTimeout as delay } from 'node:timers/promises';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { BackgroundWork } from '../../../src/platform/lifecycle/background-work.js';
import { DatabaseService } from '../../../src/platform/database/database.service.js';
import { sql } from '../../../src/platform/database/sql.js';
import { Leader, type Term } from '../../../src/platform/queue/leader.js';

let here: TestApp;
let there: TestApp;
beforeAll(async () => {
  here = await createTestApp();
  there = await createTestApp({}, { databaseUrl: here.databaseUrl });
});
afterAll(async () => {
  await there.close();
  await here.close();
});

const leader = (app: TestApp): Leader => app.app.nest.get(Leader);
const never = new AbortController().signal;
const job = <Result>(name: string, run: (term: Term) => Promise<Result>) => ({
  name,
  every: 60_000,
  periodMs: 60_000,
  run,
});
const lapse = (name: string) =>
  query(`UPDATE job_lease SET expires_at = now(), next_run_at = now() WHERE job = $1`, [name], here.databaseUrl);

describe('an elected job', () => {
  it('runs on one replica at a time', async () => {
    let finish: (value: string) => void = () => undefined;
    const long = job('test.one', () => new Promise<string>((resolve) => (finish = resolve)));
    const running = leader(here).runElected(long, never);
    while ((await leader(here).leases()).every((lease) => lease.job !== 'test.one'))
      await new Promise((resolve) => setImmediate(resolve));
    expect(
      await leader(there).runElected(
        job('test.one', async () => 'stolen'),
        never,
        true,
      ),
    ).toBeUndefined();
    finish('done');
    expect(await running).toBe('done');
  });

  it('runs once per period over all replicas, and at once when somebody asks', async () => {
    const count = job('test.period', async () => 1);
    expect(await leader(here).runElected(count, never)).toBe(1);
    expect(await leader(there).runElected(count, never)).toBeUndefined();
    expect(await leader(here).runElected(count, never)).toBeUndefined();
    expect(await leader(there).runElected(count, never, true)).toBe(1);
  });

  it('is taken over when the holder is gone, with a higher fence; what the old one still writes is refused', async () => {
    const database = here.app.nest.get(DatabaseService);
    const write = (term: Term) =>
      database.execute(sql`UPDATE server_epoch SET reason = reason WHERE EXISTS (${term.holds})`);
    let frozen: Term | undefined;
    const seen: number[] = [];
    await leader(here).runElected(
      job('test.fence', async (old) => {
        frozen = old;
        expect(await write(old)).toBe(1);
        await lapse('test.fence');
        await leader(there).runElected(
          job('test.fence', async (term) => {
            seen.push(old.fence, term.fence);
            expect(await write(term)).toBe(1);
            expect(await write(old)).toBe(0);
          }),
          never,
        );
      }),
      never,
    );
    expect(seen[1]).toBeGreaterThan(seen[0] ?? Infinity);
    expect(await write(frozen as Term)).toBe(0);
  });

  it('leaves its outcome for all to see, failures included', async () => {
    await leader(here).runElected(
      job('test.good', async () => ({ rows: 3 })),
      never,
    );
    const failing = job('test.bad', () => Promise.reject(new Error('no')));
    await expect(leader(here).runElected(failing, never)).rejects.toThrow('no');
    const leases = new Map((await leader(there).leases()).map((lease) => [lease.job, lease]));
    expect(leases.get('test.good')).toMatchObject({ holder: null, lastResult: { ok: true, rows: 3 } });
    expect(leases.get('test.bad')).toMatchObject({ holder: null, lastResult: { ok: false } });
  });

  it('presence.cleanup is one of them: registered at start, run on request', async () => {
    const work = here.app.nest.get(BackgroundWork);
    // The calendar is loaded a moment after the start.
    while (!work.jobStatus().find(({ name }) => name === 'presence.cleanup')?.nextRunAt) await delay(20);
    expect(await work.runJob('presence.cleanup')).toBe(true);
    const lease = (await leader(there).leases()).find((one) => one.job === 'presence.cleanup');
    expect(lease?.lastResult).toMatchObject({ ok: true, entries: 0 });
  });
});
