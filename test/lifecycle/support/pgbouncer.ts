import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { upstreamOf } from './proxy.js';

const binary = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer'].find(existsSync);
/** PgBouncer refuses to run as root. */
const nobody = 65_534;

export interface Pooler {
  port: number;
  /** Ends it at once, with every connection through it. */
  kill(): Promise<void>;
  /** Again on the same port. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Undefined when it is not installed; on CI that is a failure. */
export const poolerInstalled = (): boolean => {
  if (binary === undefined && process.env.CI === 'true')
    throw new Error('PgBouncer is not installed (apt-get install pgbouncer)');
  return binary !== undefined;
};

/** The real PgBouncer in front of a server, for all of its databases. */
export async function startPooler(url: string, mode: 'transaction' | 'session'): Promise<Pooler> {
  if (binary === undefined) throw new Error('PgBouncer is not installed');
  const parsed = new URL(url);
  // The server's unix socket belongs to another account, so the way there is a plain TCP forwarder of ours.
  const way = await TcpProxy.start(upstreamOf(url));
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'parley-pgbouncer-'));
  const config = join(folder, 'pgbouncer.ini');
  await writeFile(
    config,
    `[databases]
* = host=127.0.0.1 port=${way.port} user=${parsed.username} password=${decodeURIComponent(parsed.password)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = 12
max_client_conn = 200
`,
  );
  const root = userInfo().uid === 0;
  if (root) {
    await chmod(folder, 0o755);
    await chown(config, nobody, nobody);
  }
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(binary, [config], { stdio: 'ignore', ...(root ? { uid: nobody, gid: nobody } : {}) });
    while (!(await accepts(port))) {
      if (child.exitCode !== null) throw new Error(`PgBouncer ended with ${child.exitCode}`);
      await delay(20);
    }
    return child;
  };
  let child = await start();
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  };
  return {
    port,
    kill,
    async start() {
      child = await start();
    },
    async stop() {
      await kill();
      await way.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
