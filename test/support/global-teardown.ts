import './resolve-sources.cjs';
import { removeRun, runFolder } from './postgres.js';

/** Stops every server of the run, also those of test files that were killed. */
export default async function globalTeardown(): Promise<void> {
  await removeRun(await runFolder());
}
