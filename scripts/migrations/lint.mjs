#!/usr/bin/env node
/**
 * `npm run migration:lint [-- --dir <folder>] [--json]`: every migration may run twice, breaks no running build unless it
 * says so, and is not edited once released. Exit 1 with one line per problem. docs/guides/migrations.md names the rules.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { lintMigrations } from './lint-rules.mjs';
import { readReleased } from './released.mjs';
import { runSquawk } from './squawk.mjs';

const root = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({ options: { dir: { type: 'string' }, json: { type: 'boolean', default: false } } });
const directory = resolve(values.dir ?? join(root, 'prisma/migrations'));

const migrations = readdirSync(directory, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => {
    const files = readdirSync(join(directory, name));
    const path = join(directory, name, 'migration.sql');
    return {
      name,
      bytes: existsSync(path) ? readFileSync(path) : undefined,
      others: files.filter((file) => file !== 'migration.sql'),
    };
  })
  .toSorted((a, b) => (a.name < b.name ? -1 : 1));

const own = lintMigrations(migrations, readReleased(dirname(directory)));
// A file that cannot be read as it should says nothing more than that.
const unreadable = new Set(own.filter(({ rule }) => rule === 'file').map(({ migration }) => migration));
const files = new Map(
  migrations
    .filter(({ name, bytes }) => bytes && !unreadable.has(name))
    .map(({ name, bytes }) => [join(directory, name, 'migration.sql'), bytes.toString()]),
);
const problems = [...own, ...runSquawk(files)];

if (values.json) console.log(JSON.stringify(problems, null, 2));
else {
  const where = relative(process.cwd(), directory) || '.';
  for (const { migration, line, rule, message } of problems) {
    console.error(`${where}/${migration}/migration.sql:${line}  ${rule}  ${message}`);
  }
  console.error(`${migrations.length} migrations, problems: ${problems.length}`);
}
process.exitCode = problems.length > 0 ? 1 : 0;
