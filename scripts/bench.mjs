#!/usr/bin/env node
// `npm run bench -- A B --seconds 10`: prepares, then measures Parley beside the stubs.
import { prepare } from './prepare.mjs';
import { run } from './run.mjs';

await prepare();
process.exitCode = await run(['bench/load.mjs', ...process.argv.slice(2)]);
