#!/usr/bin/env node
// `npm start`: everything from a fresh clone to a running server.
import { serverFlags } from './node-runtime.mjs';
import { prepare } from './prepare.mjs';
import { supervise } from './run.mjs';

await prepare();
process.exitCode = await supervise([...serverFlags, 'dist/main.js', ...process.argv.slice(2)]);
