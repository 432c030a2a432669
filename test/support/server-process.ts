import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface ServerProcess {
  url: string;
  port: number;
  child: ChildProcess;
  /** Everything it wrote so far. */
  output: () => string;
  /** Resolves with the exit code, or the signal's name. */
  exited: Promise<number | string>;
  stop(signal?: NodeJS.Signals): Promise<number | string>;
}

export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/**
 * The compiled server as a process of its own, as an operator runs it. It is ready, or has exited, when this resolves.
 * `entry` is the main file of another build.
 */
export async function startServerProcess(
  environment: Record<string, string>,
  options: { waitUntilReady?: boolean; entry?: string } = {},
): Promise<ServerProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [options.entry ?? join(root, 'dist/main.js')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      HOST: '127.0.0.1',
      PORT: String(port),
      RATE_SCALE: '1000',
      LOAD_SHEDDING: 'false',
      ...environment,
    },
  });
  let text = '';
  const collect = (chunk: Buffer): void => void (text += chunk.toString());
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const exited = new Promise<number | string>((resolve) =>
    child.once('exit', (code, signal) => resolve(code ?? signal ?? -1)),
  );
  const server: ServerProcess = {
    url: `http://127.0.0.1:${port}`,
    port,
    child,
    output: () => text,
    exited,
    stop: async (signal = 'SIGTERM') => {
      child.kill(signal);
      return exited;
    },
  };
  if (options.waitUntilReady !== false) {
    try {
      await untilReady(server);
    } catch (error) {
      await server.stop('SIGKILL');
      throw error;
    }
  }
  return server;
}

/** Polls the probe until it answers 200; throws with the output when the process ends first. */
export async function untilReady(server: ServerProcess, withinMs = 60_000): Promise<void> {
  const until = Date.now() + withinMs;
  let ended = false;
  void server.exited.then(() => (ended = true));
  for (;;) {
    const status = await fetch(`${server.url}/ready`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    if (ended || Date.now() > until) throw new Error(`the server is not ready:\n${server.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A folder of its own for a process that brings its embedded database. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'parley-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
