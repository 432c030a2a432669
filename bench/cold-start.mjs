// Cold start: process start to the first 200 on /ready, beside the smallest NestJS application, interleaved in one run.
//   node bench/cold-start.mjs [--runs 10] [--json]
// Needs a build (npm run build) and, for the third row, npm run build:production. Starts its own embedded PostgreSQL.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '../dist/platform/database/embedded-postgres.js';

const root = join(import.meta.dirname, '..');
const option = (name, fallback) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : fallback;
const runs = Number(option('--runs', 10));

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

const status = (port) =>
  new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/ready', agent: false }, (response) =>
      resolve(response.resume().statusCode),
    ).on('error', () => resolve(0));
  });

async function measure(file, environment) {
  const port = await freePort();
  const child = spawn(process.execPath, [file], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, LOG_LEVEL: 'warn', ...environment, PORT: String(port), HOST: '127.0.0.1' },
  });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const startedAt = performance.now();
  try {
    while ((await status(port)) !== 200) {
      if (child.exitCode !== null) throw new Error(`${file} ended with ${child.exitCode}`);
      if (performance.now() - startedAt > 60_000) throw new Error(`${file} is not ready after a minute`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const ms = performance.now() - startedAt;
    const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    return { ms, rss };
  } finally {
    child.kill('SIGTERM');
    await gone;
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'));
const server = await startEmbedded({ dir: join(directory, 'pg'), log: () => undefined });
const database = {
  DATABASE_URL: server.url,
  DATA_DIR: directory,
  APP_SECRET: 'bench-secret-bench-secret-bench-secret',
};
const production = join(root, 'dist/production/main.js');
const subjects = [
  ['Nest + Express hello world', join(root, 'bench/hello-nest.mjs'), {}],
  ['Parley, plain build', join(root, 'dist/main.js'), database],
  ...(existsSync(production)
    ? [['Parley, production build', production, { ...database, NODE_ENV: 'production', DRAIN_WAIT_MS: '0' }]]
    : []),
  [
    'Parley, embedded PostgreSQL',
    join(root, 'dist/main.js'),
    { DATABASE_URL: '', DATA_DIR: join(directory, 'data'), EMBEDDED_PG_KEEP: 'false' },
  ],
];
try {
  for (const [, file, environment] of subjects) await measure(file, environment);
  const samples = subjects.map(() => []);
  for (let run = 0; run < runs; run++)
    for (const [i, [, file, environment]] of subjects.entries()) samples[i].push(await measure(file, environment));
  const reference = median(samples[0].map(({ ms }) => ms));
  const rows = subjects.map(([name], i) => {
    const ms = median(samples[i].map((sample) => sample.ms));
    return {
      name,
      ms: Math.round(ms),
      ratio: Math.round((ms / reference) * 100) / 100,
      rssMiB: Math.round(median(samples[i].map((sample) => sample.rss))),
    };
  });
  if (process.argv.includes('--json')) console.log(JSON.stringify({ runs, rows }, null, 2));
  else console.table(rows);
} finally {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
