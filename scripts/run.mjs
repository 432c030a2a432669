// Plain JavaScript for Node 20.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { root, fail, node24 } from './node-runtime.mjs';

const REPEAT_MS = 300; // Ctrl-C reaches us from the terminal and once more from npm

/**
 * Runs a program under Node 24 until it ends; answers its exit code, 128 + n after a signal.
 *
 * `detached` gives it a process group of its own: Ctrl-C then reaches only us, and each signal is passed on exactly
 * once. Without it the program shares the terminal (it may read keys) and gets Ctrl-C from there.
 */
export function run(args, { detached = false, env = process.env } = {}) {
  const child = spawn(node24(), args, { cwd: root, env, stdio: 'inherit', detached });
  const last = new Map();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      const now = performance.now();
      const repeated = now - (last.get(signal) ?? -Infinity) < REPEAT_MS;
      last.set(signal, now);
      const fromTerminal = !detached && signal === 'SIGINT' && process.stdin.isTTY;
      if (!repeated && !fromTerminal) child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    });
  }
  return new Promise((resolve) => {
    child.once('error', (error) =>
      fail(`Node 24 cannot be started (${error.message}): remove node_modules, then start again.`),
    );
    child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}
