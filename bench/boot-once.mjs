// One process, one figure: from nothing to a database that can be used, in ms, on stdout.
//   node bench/boot-once.mjs lifecycle|bare <url>
// `lifecycle` reads Parley's own migrations, manifest and seeds and ends verified; `bare` connects and says SELECT 1.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { parseManifest } from '../dist/platform/database/lifecycle/manifest.js';
import { runLifecycle } from '../dist/platform/database/lifecycle/run-lifecycle.js';
import { loadSeeds } from '../dist/platform/database/lifecycle/seeds.js';

const prisma = join(import.meta.dirname, '../prisma');

const subjects = {
  async lifecycle(connectionString) {
    await runLifecycle({
      connectionString,
      migrationsDir: join(prisma, 'migrations'),
      manifest: parseManifest(readFileSync(join(prisma, 'schema.manifest.json'), 'utf8')),
      seeds: loadSeeds(join(prisma, 'seeds')),
      appVersion: 'bench',
    });
  },
  async bare(connectionString) {
    const client = new pg.Client({ connectionString });
    await client.connect();
    await client.query('SELECT 1');
    await client.end();
  },
};

const [, , subject, url] = process.argv;
const startedAt = performance.now();
await subjects[subject](url);
console.log(performance.now() - startedAt);
