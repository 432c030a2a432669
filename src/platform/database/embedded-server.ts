import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { EmbeddedPostgresError } from './embedded-error.js';
import type { EmbeddedHome } from './embedded-home.js';
import { identity, isServerOn, stopServer } from './embedded-process.js';

const SILENCE_MS = 10_000;
const START_MS = 120_000;
const LOG_LIMIT = 8 * 1024 * 1024;
const DATABASE_MISSING = `SELECT current_setting('data_directory') AS directory,
  NOT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS missing`;

/** `ready` is our server with our database; `busy` answers but lets nobody in yet; `foreign` serves other data. */
type Answer = 'ready' | 'busy' | 'silent' | 'foreign';

/** A connection to the maintenance database of the server. Ends with `work`. */
export async function connected<T>(home: EmbeddedHome, work: (client: Client) => Promise<T>): Promise<T> {
  const { user, password, port } = home.credentials;
  const client = new Client({
    user,
    password,
    host: home.socketDirectory ?? '127.0.0.1',
    port,
    database: 'postgres',
    application_name: 'parley-embedded',
    connectionTimeoutMillis: 1_000,
    query_timeout: 5_000,
  });
  client.on('error', () => {}); // a server that dies meanwhile also fails the query, which is enough
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

async function ask(home: EmbeddedHome): Promise<Answer> {
  try {
    return await connected(home, async (client) => {
      const { rows } = await client.query<{ directory: string; missing: boolean }>(DATABASE_MISSING, [
        home.credentials.database,
      ]);
      // A socket in our directory is ours even if the directory was moved; a port may be anybody's.
      if (!home.socketDirectory && rows[0]?.directory !== home.data) return 'foreign';
      if (rows[0]?.missing) await client.query(`CREATE DATABASE ${client.escapeIdentifier(home.credentials.database)}`);
      return 'ready';
    });
  } catch (error) {
    const code = (error as { code?: string }).code ?? '';
    if (['57P03', '53300', '57P01'].includes(code)) return 'busy';
    if (code.startsWith('28')) return home.socketDirectory ? refused(home, error) : 'foreign';
    return 'silent';
  }
}

function refused(home: EmbeddedHome, cause: unknown): never {
  throw new EmbeddedPostgresError(
    `The PostgreSQL on ${home.data} refuses the credentials of ${home.file}.`,
    'Put back the server.json that belongs to this data, or set DATABASE_URL.',
    { cause },
  );
}

/** Takes over a server that already runs on this data; clears away what only looks like one. False: none runs. */
export async function adopt(home: EmbeddedHome, signal?: AbortSignal): Promise<boolean> {
  if ((await ask(home)) === 'ready') return true;
  const pid = await postmasterPid(home);
  if (pid === undefined || !isServerOn(pid, home.data)) {
    await removeTraces(home, pid);
    return false;
  }
  let heard = performance.now();
  while (identity(pid) !== undefined && performance.now() - heard < SILENCE_MS) {
    signal?.throwIfAborted();
    const answer = await ask(home);
    if (answer === 'ready') return true;
    if (answer === 'busy') heard = performance.now();
    await delay(100);
  }
  await stopServer(pid);
  await removeTraces(home, await postmasterPid(home));
  return false;
}

/**
 * PostgreSQL judges its lock files by the pid alone: it would refuse to start beside a stranger that inherited the pid,
 * or beside its own zombie. Of a process that is really gone it clears the traces itself, and better.
 */
async function removeTraces(home: EmbeddedHome, pid: number | undefined): Promise<void> {
  if (pid !== undefined) await rm(join(home.data, 'postmaster.pid'), { force: true });
  await rm(join(home.directory, `.s.PGSQL.${home.credentials.port}.lock`), { force: true });
}

/** The pid in `postmaster.pid`, whatever it belongs to now; undefined when the file is missing or its process gone. */
export async function postmasterPid(home: EmbeddedHome): Promise<number | undefined> {
  const text = await readFile(join(home.data, 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return pid > 0 && isPresent(pid) ? pid : undefined;
}

/** Zombies included: PostgreSQL takes one for a running server, so its file has to be removed. */
function isPresent(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Starts the server in a session of its own, so that neither Ctrl-C nor the death of this process reaches it, and waits
 * until it lets us in. Spawned directly: pg_ctl passes every path through a shell.
 */
export async function launch(
  home: EmbeddedHome,
  settings: Record<string, string>,
  signal?: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const failure = await launchOnce(home, settings, signal);
    if (failure === undefined) return;
    // The sessions of a killed server need a moment to notice; a port may be taken between choosing and using it.
    if (attempt > 20 || !/pre-existing shared memory|could not bind|could not create any TCP/.test(failure)) {
      throw startError(home, failure);
    }
    await delay(250, undefined, { signal });
  }
}

/** The end of the server's log when it gave up, undefined when it is ready. */
async function launchOnce(
  home: EmbeddedHome,
  settings: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (!home.socketDirectory) await home.save({ ...home.credentials, port: await freePort(home.credentials.port) });
  const logged = await rotate(home.log);
  const log = openSync(home.log, 'a', 0o600);
  const all = { ...serverSettings(home), ...settings };
  const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = home.spawn('postgres', ['-D', home.data, ...args], { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.unref();
  let failure: string | undefined;
  child.once('error', (error) => (failure = error.message));
  child.once('exit', () => (failure ??= 'ended'));
  try {
    for (const deadline = performance.now() + START_MS; failure === undefined; await delay(10)) {
      signal?.throwIfAborted();
      if ((await ask(home)) === 'ready') return undefined;
      if (performance.now() > deadline) throw startError(home, `not ready after ${START_MS / 1000} s`);
    }
  } catch (error) {
    if (child.pid) await stopServer(child.pid);
    throw error;
  }
  return `${failure}\n${(await readFile(home.log, 'utf8')).slice(logged)}`;
}

/** Error texts go to the log without statement and detail, which could carry message bodies. */
function serverSettings(home: EmbeddedHome): Record<string, string> {
  return {
    listen_addresses: home.socketDirectory ? '' : '127.0.0.1',
    unix_socket_directories: home.socketDirectory ? '..' : '', // relative to the data directory, so no quoting
    unix_socket_permissions: '0700',
    port: String(home.credentials.port),
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
  };
}

async function freePort(wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    const probe = createServer();
    try {
      await once(probe.listen(port, '127.0.0.1'), 'listening');
      return (probe.address() as AddressInfo).port;
    } catch {
      // Taken by somebody else: any free one will do.
    } finally {
      if (probe.listening) await new Promise((resolve) => probe.close(resolve));
    }
  }
  throw new EmbeddedPostgresError('No free port on 127.0.0.1.', 'Set DATABASE_URL to a PostgreSQL of your own.');
}

/** Keeps one old log. Answers the length of the current one. */
async function rotate(log: string): Promise<number> {
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  if (size < LOG_LIMIT) return size;
  await rename(log, `${log}.1`);
  return 0;
}

const HINTS: [pattern: RegExp, hint: string][] = [
  [/No space left on device/, 'Free some disk space, then start again.'],
  [/ENOENT/, 'These programs need glibc (Alpine has none): set DATABASE_URL to a PostgreSQL of your own.'],
  [/effective user ID/, 'Give this user id an entry in /etc/passwd, or set DATABASE_URL.'],
  [/pre-existing shared memory/, 'End the processes of the earlier server on this directory, then start again.'],
];

/** The server's own reason, and what to do about it where that is known. */
export function startError(home: EmbeddedHome, output: string): EmbeddedPostgresError {
  const reason = /(?:FATAL|PANIC|error): .*/.exec(output)?.[0] ?? output.trim().split('\n').at(-1);
  const hint = HINTS.find(([pattern]) => pattern.test(output))?.[1] ?? `Read ${home.log}, or set DATABASE_URL.`;
  return new EmbeddedPostgresError(`The embedded PostgreSQL did not start: ${reason}`, hint);
}
