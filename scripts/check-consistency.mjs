#!/usr/bin/env node
// `npm run check:consistency -- --minutes 60 --seed X`: prepares, then drives clients against a failing cluster.
import { prepare } from './prepare.mjs';
import { run } from './run.mjs';

await prepare();
const typescript = [
  '--experimental-transform-types',
  '--disable-warning=ExperimentalWarning',
  '--require',
  './test/support/resolve-sources.cjs',
];
process.exitCode = await run([...typescript, 'test/checker/main.ts', ...process.argv.slice(2)]);
