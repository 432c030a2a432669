// The schema lifecycle beside what it replaces, interleaved in one run; medians.
//   npm run bench:boot -- [--runs 15] [--replicas 20] [--json]
// Needs a build (npm run build). Starts its own PostgreSQL with its durability on. Exit 1 when a target is missed.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash, randomUUID } from 'node:crypto';
import pg from 'pg';
import { startEmbedded } from '../dist/platform/database/embedded-postgres.js';
import { buildManifest } from '../dist/platform/database/lifecycle/manifest-build.js';
import { loadMigrations } from '../dist/platform/database/lifecycle/migration-files.js';
import { runLifecycle } from '../dist/platform/database/lifecycle/run-lifecycle.js';
import { createHistory, createHome, lifecycleTables } from '../dist/platform/database/lifecycle/tables.js';

const root = join(import.meta.dirname, '..');
const option = (name, fallback) =>
  process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : fallback;
const runs = option('--runs', 15);
const replicas = option('--replicas', 20);
const TARGETS = { plain: 1.3, deploy: 0.2, addedMs: 25, verifyMs: 15 };

const directory = mkdtempSync(join(tmpdir(), 'parley-bench-boot-'));
const server = await startEmbedded({ dir: join(directory, 'pg'), log: () => undefined });
const urlOf = (name) => server.url.replace(/\/[^/?]*(\?|$)/, `/${name}$1`);

async function admin(sql) {
  const client = new pg.Client(server.url);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

let databases = 0;
async function database() {
  const name = `bench_${++databases}`;
  await admin(`CREATE DATABASE ${name}`);
  return name;
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const round = (value) => Math.round(value * 100) / 100;

async function timed(work) {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** A package with ten migrations that make four tables and then change them, as a young product has them. */
function tenMigrations() {
  const folder = join(directory, 'ten');
  const migrations = join(folder, 'prisma/migrations');
  const models = ['users', 'rooms', 'members', 'messages'];
  const files = [
    ...models.map(
      (t) =>
        `CREATE TABLE "${t}" ("id" UUID NOT NULL, "name" TEXT NOT NULL, "made" TIMESTAMPTZ(3) NOT NULL DEFAULT now(), CONSTRAINT "${t}_pkey" PRIMARY KEY ("id"));`,
    ),
    ...models.map(
      (t) => `CREATE INDEX "${t}_name_idx" ON "${t}" ("name");\nALTER TABLE "${t}" ADD COLUMN "note" TEXT;`,
    ),
    'ALTER TABLE "members" ADD COLUMN "room" UUID, ADD CONSTRAINT "members_room_fkey" FOREIGN KEY ("room") REFERENCES "rooms" ("id");',
    'ALTER TABLE "messages" ADD COLUMN "room" UUID, ADD CONSTRAINT "messages_room_fkey" FOREIGN KEY ("room") REFERENCES "rooms" ("id");',
  ];
  files.forEach((sql, i) => {
    const name = `202601010000${String(i).padStart(2, '0')}_step`;
    mkdirSync(join(migrations, name), { recursive: true });
    writeFileSync(join(migrations, name, 'migration.sql'), sql);
  });
  writeFileSync(join(migrations, 'migration_lock.toml'), 'provider = "postgresql"\n');
  writeFileSync(join(folder, 'prisma/schema.prisma'), 'datasource db {\n  provider = "postgresql"\n}\n');
  writeFileSync(
    join(folder, 'prisma.config.ts'),
    "export default { schema: 'prisma', migrations: { path: 'prisma/migrations' }, datasource: { url: process.env.DATABASE_URL } };\n",
  );
  writeFileSync(join(folder, 'package.json'), '{"name":"ten","type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return { folder, migrations };
}

/**
 * The same SQL with nothing but `pg`: connect, lock, the same tables for the record, each file with its history row in a
 * transaction, unlock. It checks nothing, before or after.
 */
async function plain(url, migrations) {
  const files = await loadMigrations(migrations);
  const tables = lifecycleTables('public');
  const client = new pg.Client(url);
  await client.connect();
  await client.query('SELECT pg_advisory_lock(72707369)');
  await client.query(createHistory(tables));
  await client.query(createHome(tables));
  for (const { name, sql } of files) {
    await client.query('BEGIN');
    await client.query(sql);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
      [randomUUID(), createHash('sha256').update(sql).digest('hex'), name],
    );
    await client.query('COMMIT');
  }
  await client.query('SELECT pg_advisory_unlock(72707369)');
  await client.end();
}

function run(file, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${file}: ${code}\n${output}`))));
  });
}

const deploy = (url, cwd) =>
  run(join(root, 'node_modules/prisma/build/index.js'), ['migrate', 'deploy'], {
    cwd,
    env: {
      ...process.env,
      DATABASE_URL: url,
      PRISMA_SCHEMA_ENGINE_BINARY: join(root, 'test/support/schema-engine/schema-engine.mjs'),
      PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
      CHECKPOINT_DISABLE: '1',
    },
  });

async function tenPending() {
  const { folder, migrations } = tenMigrations();
  const manifest = await buildManifest(server.url, await loadMigrations(migrations));
  const ours = (url) =>
    runLifecycle({ connectionString: url, migrationsDir: migrations, manifest, appVersion: 'bench' });
  const subjects = { ours, plain: (url) => plain(url, migrations), deploy: (url) => deploy(url, folder) };
  const samples = { ours: [], plain: [], deploy: [] };
  for (let i = -2; i < runs; i++) {
    for (const [name, work] of Object.entries(subjects)) {
      // The CLI takes seconds; a third of the rounds tells enough.
      if (name === 'deploy' && (i < 0 || i % 3 !== 0)) continue;
      const db = await database();
      const ms = await timed(() => work(urlOf(db)));
      if (i >= 0) samples[name].push(ms);
      await admin(`DROP DATABASE ${db} WITH (FORCE)`);
    }
  }
  return Object.fromEntries(Object.entries(samples).map(([name, all]) => [name, round(median(all))]));
}

/** The built server, and the same with a lifecycle that says "verified" without looking. */
function doubles() {
  const folder = join(directory, 'double');
  cpSync(join(root, 'dist'), join(folder, 'dist'), {
    recursive: true,
    filter: (path) => !path.includes('/production'),
  });
  cpSync(join(root, 'prisma'), join(folder, 'prisma'), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const gate = join(folder, 'dist/platform/database/schema-lifecycle.js');
  const text = readFileSync(gate, 'utf8');
  const noop = text.replace(
    /import \{ runLifecycle \} from [^\n]*\n/,
    `const runLifecycle = async ({ connection, onPhase }) => {
  (await connection)?.end();
  return { head: null, epoch: 0, fingerprint: null, ahead: false, pooler: false, applied: [], seeded: [], fastPath: true, phases: {} };
};\n`,
  );
  if (noop === text) throw new Error('schema-lifecycle.js does not import runLifecycle as expected');
  writeFileSync(gate, noop);
  return join(folder, 'dist/main.js');
}

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

const status = (port) =>
  new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/ready', agent: false }, (answer) => resolve(answer.resume().statusCode)).on(
      'error',
      () => resolve(0),
    );
  });

async function startServer(file, url, { level = 'silent', pauseMs = 2 } = {}) {
  const port = await freePort();
  const child = spawn(process.execPath, [file], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      DATABASE_URL: url,
      DATA_DIR: directory,
      APP_SECRET: 'bench-secret-bench-secret-bench-secret',
      LOG_LEVEL: level,
      HOST: '127.0.0.1',
      PORT: String(port),
      DB_POOL_MAX: '2',
    },
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await gone;
  };
  const ready = (async () => {
    while ((await status(port)) !== 200) {
      if (child.exitCode !== null) return false;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    return true;
  })();
  return { ready, stop, output: () => output };
}

async function warm() {
  const db = urlOf(await database());
  const subjects = { lifecycle: join(root, 'dist/main.js'), none: doubles() };
  const samples = { lifecycle: [], none: [] };
  for (let i = -2; i < runs; i++) {
    for (const [name, file] of Object.entries(subjects)) {
      let stop;
      const ms = await timed(async () => {
        const started = await startServer(file, db);
        ({ stop } = started);
        if (!(await started.ready)) throw new Error(`${name} did not become ready`);
      });
      await stop();
      if (i >= 0) samples[name].push(ms);
    }
  }
  // Neighbours of one round met the same machine, so their differences say more than the medians of each.
  const addedMs = median(samples.lifecycle.map((ms, i) => ms - samples.none[i]));
  return {
    lifecycleMs: round(median(samples.lifecycle)),
    noneMs: round(median(samples.none)),
    addedMs: round(addedMs),
  };
}

/** The lifecycle alone, each time in a new process, beside a connection that looks at nothing. */
async function upToDate() {
  const db = urlOf(await database());
  const file = join(root, 'bench/boot-once.mjs');
  const samples = { lifecycle: [], bare: [] };
  for (let i = -2; i < runs; i++) {
    for (const [name, all] of Object.entries(samples)) {
      const ms = Number(await run(file, [name, db]));
      if (i >= 0) all.push(ms);
    }
  }
  const [lifecycleMs, bareMs] = [samples.lifecycle, samples.bare].map(median);
  return { lifecycleMs: round(lifecycleMs), bareMs: round(bareMs), addedMs: round(lifecycleMs - bareMs) };
}

async function verify() {
  const output = await run(join(root, 'bench/verify-schema.mjs'), [String(runs * 2)], {
    env: { ...process.env, DATABASE_URL: server.url },
  });
  return JSON.parse(output.trim().split('\n').at(-1));
}

async function coldReplicas() {
  const db = urlOf(await database());
  const startedAt = performance.now();
  const all = await Promise.all(
    Array.from({ length: replicas }, () =>
      startServer(join(root, 'dist/main.js'), db, { level: 'info', pauseMs: 100 }),
    ),
  );
  const ready = (await Promise.all(all.map((replica) => replica.ready))).filter(Boolean).length;
  const ms = performance.now() - startedAt;
  const count = (event) => all.filter((replica) => replica.output().includes(`"event":"${event}"`)).length;
  const applied = count('migration.applied');
  await Promise.all(all.map((replica) => replica.stop()));
  return { replicas, ready, migrated: applied, allReadyMs: Math.round(ms) };
}

try {
  const ten = await tenPending();
  const alone = await upToDate();
  const boot = await warm();
  const check = await verify();
  const cold = await coldReplicas();
  const rows = [
    {
      figure: '10 migrations / plain pg',
      value: round(ten.ours / ten.plain),
      target: TARGETS.plain,
      of: `${ten.ours} / ${ten.plain} ms`,
    },
    {
      figure: '10 migrations / prisma migrate deploy (wasm engine)',
      value: round(ten.ours / ten.deploy),
      target: TARGETS.deploy,
      of: `${ten.ours} / ${ten.deploy} ms`,
    },
    {
      figure: 'up to date: connect to verified, over connect and SELECT 1, ms',
      value: alone.addedMs,
      target: TARGETS.addedMs,
      of: `${alone.lifecycleMs} - ${alone.bareMs} ms`,
    },
    {
      figure: 'up to date: process to READY, over no lifecycle, ms',
      value: boot.addedMs,
      target: TARGETS.addedMs,
      of: `${boot.lifecycleMs} - ${boot.noneMs} ms`,
    },
    {
      figure: '60 tables verified, cold ms',
      value: check.cold.medianMs,
      target: TARGETS.verifyMs,
      of: `${check.objects} objects; warm ${check.warm.medianMs} ms`,
    },
    {
      figure: `${replicas} replicas cold, not ready`,
      value: replicas - cold.ready,
      target: 0,
      of: `${cold.allReadyMs} ms; ${cold.migrated} migrated`,
    },
  ].map((row) => ({ ...row, met: row.value <= row.target }));
  if (process.argv.includes('--json'))
    console.log(JSON.stringify({ bench: 'boot', node: process.version, server: check.server, runs, rows }, null, 2));
  else console.table(rows);
  if (rows.some((row) => !row.met)) process.exitCode = 1;
} finally {
  await server.stop();
  if (existsSync(directory)) rmSync(directory, { recursive: true, force: true });
}
