import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedHome } from './embedded-home.js';
import { ensureCluster } from './embedded-initdb.js';
import { withLock } from './embedded-lock.js';
import { stopServer } from './embedded-process.js';
import { adopt, connected, launch, postmasterPid } from './embedded-server.js';

const OTHERS = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'parley/%'`;
const CLOSING_MS = 500;

export interface EmbeddedOptions {
  /** Home of the server, made when missing (0700): data/, server.json, server.log. */
  dir: string;
  /** Gives up waiting and starting; a server started meanwhile is stopped. */
  signal?: AbortSignal;
  log: (
    event: 'embedded.started' | 'embedded.adopted' | 'embedded.stopped' | 'embedded.left_running',
    fields: object,
  ) => void;
  /** Server settings over the defaults, such as `{ fsync: 'off' }` for tests. An adopted server keeps its own. */
  settings?: Record<string, string>;
}

export interface EmbeddedServer {
  /** Holds the password: never log it. */
  url: string;
  /** Where the unix socket is; undefined when the path is too long for one and a loopback port is used. */
  socketDir?: string;
  /** The server was running already: an orphan, or that of another replica. */
  adopted: boolean;
  /** Stops the server, unless another Parley process is connected to it. Close the own pool first. */
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL on `dir`, or takes over the one that runs there. Survives any death of this process: the
 * server lives on and is adopted by the next start. Throws EmbeddedPostgresError (exit code 22, with a hint).
 */
export async function startEmbedded({ dir, signal, log, settings = {} }: EmbeddedOptions): Promise<EmbeddedServer> {
  const began = performance.now();
  const home = await EmbeddedHome.open(dir);
  const lock = join(home.directory, 'lock');
  return withLock(lock, signal, async () => {
    const created = await ensureCluster(home, signal);
    const adopted = !created && (await adopt(home, signal));
    if (!adopted) await launch(home, settings, signal);
    const ms = Math.round(performance.now() - began);
    const place = home.socketDirectory ? { socket: home.socketDirectory } : { port: home.credentials.port };
    log(adopted ? 'embedded.adopted' : 'embedded.started', { ms, created, ...place });
    return {
      url: home.url,
      socketDir: home.socketDirectory,
      adopted,
      stop: () => withLock(lock, undefined, () => stop(home, log)),
    };
  });
}

async function stop(home: EmbeddedHome, log: EmbeddedOptions['log']): Promise<void> {
  const began = performance.now();
  const pid = await postmasterPid(home);
  if (pid === undefined) return;
  const others = await otherConnections(home);
  if (others > 0) return log('embedded.left_running', { connections: others });
  await stopServer(pid);
  log('embedded.stopped', { ms: Math.round(performance.now() - began) });
}

/** Our own connections may just be closing, so a number above zero is looked at again for half a second. */
async function otherConnections(home: EmbeddedHome): Promise<number> {
  return connected(home, async (client) => {
    for (const deadline = performance.now() + CLOSING_MS; ; await delay(25)) {
      const { rows } = await client.query<{ n: number }>(OTHERS);
      const n = rows[0]?.n ?? 0;
      if (n === 0 || performance.now() > deadline) return n;
    }
  }).catch(() => 0);
}
