import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '../../src/platform/database/embedded-postgres.js';
import { identity, isServerOn, stopServer } from '../../src/platform/database/embedded-process.js';

const PREFIX = 'parley-test-';

/** Nothing a test writes has to survive the machine. Tests about crashes of the server keep their durability. */
export const DURABILITY_OFF = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

export interface TestServer {
  /** Superuser on the database `parley`. */
  url: string;
  /** Its home: data/, server.log. */
  dir: string;
  /** Process id of the running server. */
  pid(): Promise<number>;
  /** Kills the server like the machine would; resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts the server again on the same data and address, with the same settings. */
  start(): Promise<void>;
  /** Stops the server and removes its data. */
  stop(): Promise<void>;
}

/**
 * A PostgreSQL of a test's own, which it may kill, freeze or fill. Lives in the folder of this test run, so that
 * whatever a dead test leaves is stopped by the run's teardown, or by the next run.
 */
export async function startServer({ settings = {} }: { settings?: Record<string, string> } = {}): Promise<TestServer> {
  const dir = join(await runFolder(), randomBytes(4).toString('hex'));
  const start = () => startEmbedded({ dir, log: () => {}, settings });
  const { url } = await start();
  const pid = async () => Number.parseInt(await readFile(join(dir, 'data', 'postmaster.pid'), 'utf8'), 10);
  return {
    url,
    dir,
    pid,
    async kill(signal = 'SIGKILL') {
      const target = await pid();
      const before = identity(target);
      process.kill(target, signal);
      while (identity(target) === before) await new Promise((resolve) => setImmediate(resolve));
    },
    async start() {
      await start();
    },
    async stop() {
      await stopIn(dir);
      await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** The folder of this test run; its name holds the process that answers for it. */
export async function runFolder(): Promise<string> {
  const folder = process.env.TEST_RUN_FOLDER ?? join(tmpdir(), `${PREFIX}${process.pid}-${identity(process.pid)}`);
  process.env.TEST_RUN_FOLDER = folder; // workers inherit it
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o711); // the account that runs a server for root has to pass
  return folder;
}

/** Stops every server of a run and removes its folder. */
export async function removeRun(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) await stopIn(join(folder, name));
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** Removes the runs whose process is gone without a teardown. */
export async function removeDeadRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, pid, started] = /^parley-test-(\d+)-(\w+)$/.exec(name) ?? [];
    if (!pid || identity(Number(pid)) === started) continue;
    await removeRun(join(tmpdir(), name)).catch(() => {}); // perhaps another account's
  }
}

async function stopIn(dir: string): Promise<void> {
  const data = join(dir, 'data');
  const pid = Number.parseInt(await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => ''), 10);
  if (pid > 0 && isServerOn(pid, data)) await stopServer(pid, 'SIGQUIT');
}
