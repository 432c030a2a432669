#!/usr/bin/env node
// `npm run dev`: rebuilds on every change in src/ and restarts the server. A change in prisma/ needs a new start.
import { spawn } from 'node:child_process';
import { node24, root } from './node-runtime.mjs';
import { prepare } from './prepare.mjs';
import { run } from './run.mjs';

await prepare();
const compile = ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'];
const compiler = spawn(node24(), compile, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
// A restart need not drain: nothing acknowledged is lost by SIGKILL, and the embedded server is adopted by the next one.
const watch = ['--watch', '--watch-preserve-output', '--watch-kill-signal=SIGKILL'];
process.exitCode = await run([...watch, 'dist/main.js'], { detached: true });
compiler.kill();
