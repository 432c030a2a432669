#!/usr/bin/env node
// `npm run dev`: rebuilds on every change in src/ and restarts the server. A change in prisma/ needs a new start.
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { node24, root } from './node-runtime.mjs';
import { prepare } from './prepare.mjs';
import { run } from './run.mjs';

const SETTLED_MS = 50; // an editor saves in several steps

// Not the compiler's own --watch: it overlooks changes in a clone that lies close to the root, such as /app. Incremental,
// so that it writes, and the server sees, only what has changed.
const compile = ['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.build.json', '--noEmitOnError', '--incremental'];
let compiler;
let changed = false;

function build() {
  if (compiler) {
    changed = true;
    return;
  }
  changed = false;
  compiler = spawn(node24(), [...compile, '--tsBuildInfoFile', 'dist/dev.tsbuildinfo'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  compiler.once('close', () => {
    compiler = undefined;
    if (changed) build();
  });
}

await prepare();
let timer;
const watcher = watch(join(root, 'src'), { recursive: true }, () => {
  clearTimeout(timer);
  timer = setTimeout(build, SETTLED_MS);
});
// A restart need not drain: nothing acknowledged is lost by SIGKILL, and the embedded server is adopted by the next one.
const flags = ['--watch', '--watch-preserve-output', '--watch-kill-signal=SIGKILL'];
process.exitCode = await run([...flags, 'dist/main.js'], { detached: true });
watcher.close();
clearTimeout(timer);
changed = false;
compiler?.kill();
