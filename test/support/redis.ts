import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificate } from './certificates.js';
import { freePort } from './server-process.js';

export interface RedisServer {
  url: string;
  stop(): Promise<void>;
}

const ADDRESS = '127.0.0.1';
const run = promisify(execFile);

async function launch(parameters: string[]): Promise<ChildProcess> {
  const child = spawn('redis-server', ['--bind', ADDRESS, '--save', '', '--appendonly', 'no', ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const chunk of child.stdout) if (String(chunk).includes('Ready to accept')) break;
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** A Redis of the caller's own that keeps nothing on disk. */
export async function startRedis(): Promise<RedisServer> {
  const port = await freePort();
  const child = await launch(['--port', String(port)]);
  return { url: `redis://${ADDRESS}:${port}`, stop: () => end(child) };
}

/** One that speaks TLS alone, with this certificate. */
export async function startRedisTls({ cert, key }: Certificate): Promise<RedisServer> {
  const [folder, port] = await Promise.all([mkdtemp(join(tmpdir(), 'parley-redis-')), freePort()]);
  const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await Promise.all([writeFile(certFile, cert), writeFile(keyFile, key, { mode: 0o600 })]);
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile];
  const child = await launch(['--port', '0', '--tls-port', String(port), '--tls-auth-clients', 'no', ...files]);
  return {
    url: `rediss://${ADDRESS}:${port}`,
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface RedisCluster {
  /** Of each node; any of them stands for the cluster. */
  urls: string[];
  stop(): Promise<void>;
}

/** Three nodes that share the slots. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-cluster-'));
  const nodes: { port: number; child: ChildProcess }[] = [];
  for (const name of ['one', 'two', 'three']) {
    const [port, busPort] = [await freePort(), await freePort()];
    const own = [
      '--cluster-enabled',
      'yes',
      '--cluster-config-file',
      join(folder, name),
      '--cluster-port',
      `${busPort}`,
    ];
    nodes.push({ port, child: await launch(['--port', `${port}`, ...own]) });
  }
  const addresses = nodes.map(({ port }) => `${ADDRESS}:${port}`);
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes']);
  for (const { port } of nodes)
    while (!(await run('redis-cli', ['-p', `${port}`, 'cluster', 'info'])).stdout.includes('cluster_state:ok'))
      await new Promise((resolve) => setTimeout(resolve, 50));
  return {
    urls: addresses.map((address) => `redis://${address}`),
    stop: async () => {
      await Promise.all(nodes.map(({ child }) => end(child)));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
