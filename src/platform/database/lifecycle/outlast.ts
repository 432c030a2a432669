import { BootRun } from './boot-run.js';
import { persistently } from './connect.js';
import { clientConfig, targetOf } from './connection-url.js';
import type { LifecycleOptions } from './types.js';

/**
 * The rules of `connecting` for work after the lifecycle: what a lost connection cut off is asked again, with the same
 * backoff, deadline and reports, so it must bear being done twice. Errors that are no matter of the connection pass.
 */
export function outlasting(options: LifecycleOptions): <T>(work: () => Promise<T>) => Promise<T> {
  const source = options.urlSource ?? 'DATABASE_URL';
  const target = targetOf(clientConfig(options.connectionString, source), source);
  return async (work) => {
    const run = new BootRun(options);
    run.phase = 'starting';
    try {
      const result = await persistently(run, target, work, ({ class: kind }) => kind === 'other' || kind === 'rights');
      if (run.connectAttempts > 1) run.detail({});
      return result;
    } finally {
      run.dispose();
    }
  };
}
