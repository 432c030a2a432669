#!/usr/bin/env node
/**
 * Writes a database as this build leaves it, as one SQL script: test/upgrades/<version>.sql, from which a test upgrades to
 * whatever the current build is. Part of `npm run migration:release`. Needs a build.
 *   node scripts/migrations/snapshot.mjs [--out <file>] [--through <migration>]
 * The schema is written from the manifest, not from the migrations: it must not change when they do. The rows are those of
 * two people who talked (`npm run demo`); `--through` stops at an earlier migration and has none.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { withScratchServer } from './scratch-server.mjs';

const root = resolve(import.meta.dirname, '../..');
const prisma = join(root, 'prisma');
const library = (name) => import(`../../dist/platform/database/lifecycle/${name}.js`);

/** What a process makes anew, and what names the machine it ran on. */
const LEFT_OUT = [
  'job_lease',
  'rate_limit_counters',
  'replica_lease',
  'setup_tokens',
  'signing_keys',
  'system_metric_samples',
];

const { values } = parseArgs({ options: { out: { type: 'string' }, through: { type: 'string' } } });
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const out = resolve(values.out ?? join(root, `test/upgrades/${version}.sql`));
const temporary = mkdtempSync(join(tmpdir(), 'parley-snapshot-'));
try {
  const text = await withScratchServer(async (url) => {
    const used = await database(url, 'used');
    const manifest = values.through === undefined ? await serve(used) : await migrate(used, url, values.through);
    const schema = await schemaOf(manifest, await database(url, 'empty'));
    return [`-- Parley ${version}, through ${manifest.head}`, schema, await rowsOf(used)].join('\n');
  });
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, text);
  console.log(`${out}: ${Math.round(text.length / 1024)} KB`);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

async function withClient(url, work) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function database(url, name) {
  await withClient(url, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE template0`));
  const target = new URL(url);
  target.pathname = `/${name}`;
  return target.href;
}

/** The built server makes the schema, and `npm run demo` uses it. */
async function serve(url) {
  const { parseManifest } = await library('manifest');
  const port = await freePort();
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    DATABASE_URL: url,
    DATA_DIR: temporary,
    APP_SECRET: 'snapshot-secret-snapshot-secret-snapshot',
    LOG_LEVEL: 'error',
    HOST: '127.0.0.1',
    PORT: String(port),
  };
  const server = spawn(process.execPath, [join(root, 'dist/main.js')], { env, stdio: 'inherit' });
  const ended = new Promise((done) => server.once('exit', done));
  try {
    const origin = `http://127.0.0.1:${port}`;
    while (!(await fetch(`${origin}/ready`).catch(() => undefined))?.ok) {
      if (server.exitCode !== null) throw new Error(`the server ended with ${server.exitCode}`);
      await new Promise((done) => setTimeout(done, 50));
    }
    const demo = spawn(process.execPath, [join(root, 'scripts/demo.mjs')], {
      env: { ...env, PARLEY_URL: origin },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const code = await new Promise((done) => demo.once('exit', done));
    if (code !== 0) throw new Error(`the demo ended with ${code}`);
  } finally {
    server.kill('SIGTERM');
    await ended;
  }
  return parseManifest(readFileSync(join(prisma, 'schema.manifest.json'), 'utf8'));
}

async function migrate(url, serverUrl, through) {
  const [{ buildManifest }, { loadMigrations }, { runLifecycle }] = await Promise.all(
    ['manifest-build', 'migration-files', 'run-lifecycle'].map(library),
  );
  const migrationsDir = join(temporary, 'migrations');
  cpSync(join(prisma, 'migrations'), migrationsDir, { recursive: true });
  for (const { name } of await loadMigrations(migrationsDir))
    if (name > through) rmSync(join(migrationsDir, name), { recursive: true });
  const manifest = await buildManifest(serverUrl, await loadMigrations(migrationsDir));
  if (manifest.head !== through) throw new Error(`there is no migration ${through}`);
  await runLifecycle({ connectionString: url, migrationsDir, manifest, appVersion: version });
  return manifest;
}

function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

async function schemaOf(manifest, emptyUrl) {
  const [{ planRepair, repairScript }, { createHistory, createHome, lifecycleTables }] = await Promise.all(
    ['repair', 'tables'].map(library),
  );
  const t = lifecycleTables('public');
  return withClient(emptyUrl, async (client) => {
    const plan = await planRepair(client, manifest, 'public');
    if (plan.refused.length > 0) throw new Error(`the manifest cannot recreate ${plan.refused[0].object}`);
    return [createHistory(t), createHome(t), repairScript(plan, 'public')].join('\n');
  });
}

/** One statement for each table that has rows, then the sequences. Triggers and foreign keys are off meanwhile. */
async function rowsOf(url) {
  return withClient(url, async (client) => {
    await client.query('SET search_path = pg_catalog');
    const { rows: tables } = await client.query(
      `
      SELECT c.oid::regclass::text AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
      WHERE c.relnamespace IN (to_regnamespace('public')::oid, to_regnamespace('lifecycle')::oid)
        AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> ALL ($1)
      GROUP BY c.oid ORDER BY name`,
      [LEFT_OUT],
    );
    const text = ['SET session_replication_role = replica;', 'TRUNCATE lifecycle.meta;'];
    for (const { name, columns } of tables) {
      const { rows } = await client.query(
        `SELECT json_agg(r ORDER BY r::text)::text AS all FROM (SELECT ${columns} FROM ${name}) r`,
      );
      if (rows[0].all === null) continue;
      text.push(
        `INSERT INTO ${name} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns}`,
        `FROM json_populate_recordset(NULL::${name}, $rows$${rows[0].all.replaceAll(', \n ', ',\n')}$rows$);`,
      );
    }
    const { rows: sequences } = await client.query(
      `SELECT format('%I.%I', schemaname, sequencename) AS name, last_value FROM pg_sequences
       WHERE last_value IS NOT NULL AND schemaname IN ('public', 'lifecycle') ORDER BY 1`,
    );
    for (const { name, last_value: last } of sequences) text.push(`SELECT setval('${name}', ${last});`);
    return [...text, 'SET session_replication_role = origin;', ''].join('\n');
  });
}
