import { LifecycleError } from './errors.js';
import { seedAll } from './migrate.js';
import { writing } from './operate.js';
import { isIdle, reconcile } from './reconcile.js';
import type { LifecycleOptions } from './types.js';

/**
 * Runs the seeds that are due, under the lock and each with its record, and nothing else. Refuses a schema on which
 * something else is to be done first.
 * @returns names of the seeds that ran
 */
export function seedDatabase(options: LifecycleOptions): Promise<readonly string[]> {
  return writing(options, async ({ session, build, read }) => {
    const { run } = session;
    const plan = reconcile(build, await read(), run.settings);
    if (!isIdle({ ...plan, seeds: [] })) {
      throw new LifecycleError('decision', 'the schema is not ready for seeds: something else is to be done first', {
        hint: 'parley db plan says what; parley db migrate does it, with the seeds.',
      });
    }
    if (plan.seeds.length > 0) await seedAll(session, plan.seeds);
    return run.seeded;
  });
}
