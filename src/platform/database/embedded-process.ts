import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * What tells this process from a later one with the same pid, or undefined when it is gone. A zombie counts as gone:
 * in a container without an init nobody reaps it, and a plain `kill -0` would call it alive for ever.
 */
export function identity(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  if (process.platform !== 'linux') return 'alive';
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : rest[18]; // start time in clock ticks since boot
  } catch {
    return undefined;
  }
}

/** Whether this pid is a PostgreSQL server running on that data directory, judged by its command line. */
export function isServerOn(pid: number, dataDirectory: string): boolean {
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' });
    return stdout?.includes('postgres') && stdout.includes(dataDirectory);
  }
  try {
    const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return basename(program) === 'postgres' && args.includes(dataDirectory);
  } catch {
    return false;
  }
}

const SHUTDOWNS = ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const;

/** Fast shutdown, then immediate, then kill, ten seconds each. SIGCONT lets a frozen server hear them. */
export async function stopServer(pid: number, from: (typeof SHUTDOWNS)[number] = 'SIGINT'): Promise<void> {
  const before = identity(pid);
  for (const name of SHUTDOWNS.slice(SHUTDOWNS.indexOf(from))) {
    for (const signal of [name, 'SIGCONT'] as const) {
      try {
        process.kill(pid, signal);
      } catch {
        return; // already gone
      }
    }
    for (const deadline = performance.now() + 10_000; performance.now() < deadline; await delay(10)) {
      if (identity(pid) !== before) return;
    }
  }
}
