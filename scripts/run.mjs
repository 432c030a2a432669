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
export function run(args, { detached = false, env = process.env, onMessage } = {}) {
  const stdio = onMessage ? ['inherit', 'inherit', 'inherit', 'ipc'] : 'inherit';
  const child = spawn(node24(), args, { cwd: root, env, stdio, detached });
  if (onMessage) child.on('message', onMessage);
  const last = new Map();
  const passOn = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => {
    const listener = () => {
      const now = performance.now();
      const repeated = now - (last.get(signal) ?? -Infinity) < REPEAT_MS;
      last.set(signal, now);
      const fromTerminal = !detached && signal === 'SIGINT' && process.stdin.isTTY;
      if (!repeated && !fromTerminal) child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal);
    };
    process.on(signal, listener);
    return [signal, listener];
  });
  return new Promise((resolve) => {
    child.once('error', (error) =>
      fail(`Node 24 cannot be started (${error.message}): remove node_modules, then start again.`),
    );
    child.once('exit', (code, signal) => {
      for (const [name, listener] of passOn) process.off(name, listener);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

/** The same in a process group of its own, and once more each time the program asks for it before it dies (the demo page does). */
export async function supervise(args) {
  for (;;) {
    let again = false;
    const onMessage = (message) => (again ||= message === 'restart');
    const code = await run([...args, '--supervised'], { detached: true, onMessage });
    if (!again) return code;
  }
}
