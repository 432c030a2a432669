// One Parley on a database of its own, for the benches of operations.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { residentKiB } from '../load/measure.mjs';

const root = join(import.meta.dirname, '../..');
const READY_MS = 120_000;
const reportCpu = ['--import', pathToFileURL(join(import.meta.dirname, 'report-cpu.mjs')).href];

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

/** Starts Parley and waits until it is ready. `environment` and `flags` (of Node) are what the benches vary. */
export async function startParley(environment = {}, flags = []) {
  const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  const port = await freePort();
  const child = spawn(process.execPath, [...reportCpu, ...flags, join(root, 'dist/main.js')], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      ...process.env,
      DATABASE_URL: '',
      DATA_DIR: directory,
      HOST: '127.0.0.1',
      PORT: String(port),
      RATE_SCALE: '100000',
      LOG_LEVEL: 'silent',
      ...environment,
    },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const call = (method, path, { token, body } = {}) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      };
      request({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }));
      })
        .on('error', reject)
        .end(text);
    });
  const parley = {
    url: `http://127.0.0.1:${port}`,
    call,
    /** Processor time of all threads, in µs. */
    async processorTime() {
      child.send('processor time?');
      const [time] = await once(child, 'message');
      return time;
    },
    get residentMiB() {
      return residentKiB(child.pid) / 1024;
    },
    /** Somebody with an access token. */
    async register() {
      const body = {
        identifier: `bench-${process.hrtime.bigint()}@example.com`,
        password: 'bench-password',
        displayName: 'Bench',
      };
      const { text } = await call('POST', '/api/v1/auth/register', { body });
      return JSON.parse(text).tokens.accessToken;
    },
    async stop() {
      agent.destroy();
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
      rmSync(directory, { recursive: true, force: true });
    },
  };
  for (const deadline = Date.now() + READY_MS; ;) {
    const status = await call('GET', '/ready').then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return parley;
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('Parley did not become ready');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Does `work` so many times, a few at once. */
export async function repeat(times, atOnce, work) {
  let left = times;
  const lane = async () => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

export const option = (name, fallback) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : fallback;
