import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildSync } from 'esbuild';
import type { LifecycleResult, PhaseDetail, ReportedEvent } from '../../../src/platform/database/lifecycle/types.js';
import { wrongClock } from '../../support/wrong-clock.js';
import type { ReplicaSpec } from './replica.js';

export type Line =
  | ({ kind: 'event' } & ReportedEvent)
  | { kind: 'phase'; name: string; detail: PhaseDetail }
  | { kind: 'ready'; result: LifecycleResult }
  | {
      kind: 'failed';
      exitCode: number;
      message: string;
      hint?: string;
      code?: string;
      details?: Record<string, unknown>;
    };

let program: string | undefined;

/** The replica program, bundled once per worker so that a child starts in a few milliseconds. */
function replicaProgram(): string {
  if (program) return program;
  const folder = join(import.meta.dirname, '../../.artifacts', `replica-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, 'replica.mjs');
  buildSync({
    entryPoints: [join(import.meta.dirname, 'replica.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    external: ['pg'],
    outfile,
    logLevel: 'error',
  });
  program = outfile;
  return outfile;
}

/** Everything any replica of this file has said, to look for secrets in. */
export const spoken: string[] = [];
const alive = new Set<Replica>();

/** A replica in a process of its own. */
export class Replica {
  readonly lines: Line[] = [];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  private readonly child: ChildProcess;
  private readonly waiters = new Set<() => void>();

  constructor(spec: ReplicaSpec) {
    this.child = spawn(process.execPath, [replicaProgram()], {
      env: { PATH: process.env.PATH ?? '', REPLICA: JSON.stringify(spec), ...wrongClock(spec.clock) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    alive.add(this);
    const { stdout, stderr } = this.child;
    if (!stdout || !stderr) throw new Error('no pipes');
    createInterface({ input: stdout }).on('line', (text) => {
      spoken.push(text);
      this.lines.push(JSON.parse(text) as Line);
      for (const check of this.waiters) check();
    });
    createInterface({ input: stderr }).on('line', (text) => {
      spoken.push(text);
      if (!/ExperimentalWarning|--trace-warnings/.test(text)) console.error(text);
    });
    this.exited = once(this.child, 'close').then(([code, signal]) => {
      alive.delete(this);
      for (const check of this.waiters) check();
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.child.kill(signal);
  }

  events<Name extends ReportedEvent['event']>(name: Name): Extract<ReportedEvent, { event: Name }>[] {
    return this.lines.filter((line) => line.kind === 'event' && line.event === name) as never;
  }

  /** The first line that satisfies the test, said already or later. Rejects when the process ends without it. */
  async said(test: (line: Line) => boolean): Promise<Line> {
    const { promise, resolve, reject } = Promise.withResolvers<Line>();
    const check = (): void => {
      const found = this.lines.find(test);
      if (found) resolve(found);
      else if (!alive.has(this)) reject(new Error(`ended without the line: ${JSON.stringify(this.lines.slice(-3))}`));
    };
    this.waiters.add(check);
    check();
    try {
      return await promise;
    } finally {
      this.waiters.delete(check);
    }
  }

  async saidEvent(name: ReportedEvent['event']): Promise<void> {
    await this.said((line) => line.kind === 'event' && line.event === name);
  }

  /** Waits for READY and a clean end. */
  async ready(): Promise<LifecycleResult> {
    const end = await this.exited;
    const last = this.lines.at(-1);
    if (last?.kind !== 'ready' || end.code !== 0) {
      throw new Error(`not ready: ${JSON.stringify(end)} ${JSON.stringify(last)}`);
    }
    return last.result;
  }

  /** Waits for the end of a boot that must fail. */
  async failed(): Promise<Extract<Line, { kind: 'failed' }>> {
    const end = await this.exited;
    const last = this.lines.at(-1);
    if (last?.kind !== 'failed') throw new Error(`did not fail: ${JSON.stringify(end)} ${JSON.stringify(last)}`);
    return last;
  }
}

/** Ends whatever a failed test left behind. */
export async function endReplicas(): Promise<void> {
  for (const replica of alive) {
    replica.kill('SIGCONT');
    replica.kill('SIGKILL');
    await replica.exited;
  }
}
