#!/usr/bin/env node
/**
 * `npm run migration:new <name> [-- --contract] [-- --empty]`: writes what is missing between the migrations and the
 * models as guarded SQL, lints it, runs it twice and rebuilds the manifest. `--contract` declares the next epoch;
 * `--empty` writes only the header, for SQL that Prisma cannot express. Works offline on a scratch PostgreSQL. Needs the
 * build (npm run build).
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { planFiles } from './plan-files.mjs';
import { withScratchServer } from './scratch-server.mjs';

const root = resolve(import.meta.dirname, '../..');
const directory = join(root, 'prisma/migrations');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { contract: { type: 'boolean', default: false }, empty: { type: 'boolean', default: false } },
});
const [name] = positionals;

/** Ends the command with a message. Thrown, so that the scratch server is stopped on the way out. */
class Stop extends Error {}

/** What the stock Prisma CLI prints, offline unless an engine of its own is configured. */
const prismaDiff = (url) => {
  const engine = join(root, 'test/support/schema-engine/schema-engine.mjs');
  const args = ['migrate', 'diff', '--from-migrations', directory, '--to-schema', join(root, 'prisma'), '--script'];
  const env = { PRISMA_SCHEMA_ENGINE_BINARY: engine, ...process.env, DATABASE_URL: url, CHECKPOINT_DISABLE: '1' };
  const cli = join(root, 'node_modules/prisma/build/index.js');
  const { stdout, stderr, status } = spawnSync(process.execPath, [cli, ...args], { cwd: root, env, encoding: 'utf8' });
  if (status !== 0) throw new Stop(`prisma migrate diff failed:\n${stderr || stdout}`);
  return stdout;
};

const existing = () =>
  readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => ({ name: entry.name, sql: readFileSync(join(directory, entry.name, 'migration.sql'), 'utf8') }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));

const writeMigration = async (url) => {
  const before = existing();
  const { files, unknown } = planFiles({ ...values, name, before, script: values.empty ? '' : prismaDiff(url) });
  if (files.length === 0)
    throw new Stop('Models and migrations agree. For SQL that Prisma cannot express add: -- --empty');

  for (const file of files) {
    mkdirSync(join(directory, file.name));
    writeFileSync(join(directory, file.name, 'migration.sql'), file.sql);
    console.log(`written  ${relative(process.cwd(), join(directory, file.name, 'migration.sql'))}`);
  }
  if (values.empty) return;
  for (const statement of unknown) console.error(`guard this by hand:\n${statement}\n`);

  const lint = spawnSync(process.execPath, [join(import.meta.dirname, 'lint.mjs')], { stdio: 'inherit' });
  const { runTwice } = await import('./run-twice.mjs');
  const failure = await runTwice(url, [...before, ...files], files.length);
  console.log(failure ?? 'twice    the second run changes nothing');
  if (lint.status !== 0 || failure) throw new Stop('Edit the file, then run: npm run migration:lint');
  const manifest = spawnSync(process.execPath, [join(root, 'scripts/manifest.mjs')], { stdio: 'inherit' });
  if (manifest.status !== 0) throw new Stop('The manifest was not built: npm run manifest');
  console.log('next     read the file, run the tests, commit models, migration and manifest together');
};

try {
  if (!/^[a-z][a-z0-9_]*$/.test(name ?? '')) {
    throw new Stop('Usage: npm run migration:new <lower_case_name> [-- --contract] [-- --empty]');
  }
  await withScratchServer(writeMigration);
} catch (error) {
  if (!(error instanceof Stop)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
