#!/usr/bin/env node
// The `parley` command: the built command line under Node 24. Prepares nothing, so that it is quick and changes nothing.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fail, root } from './node-runtime.mjs';
import { run } from './run.mjs';

if (!existsSync(join(root, 'dist', 'cli.js'))) fail('Parley is not built yet: run `npm run build` first.', 2);
process.exitCode = await run(['dist/cli.js', ...process.argv.slice(2)]);
