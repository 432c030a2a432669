#!/usr/bin/env node
// `npm start`: everything from a fresh clone to a running server.
import { prepare } from './prepare.mjs';
import { supervise } from './run.mjs';

await prepare();
process.exitCode = await supervise(['dist/main.js', ...process.argv.slice(2)]);
