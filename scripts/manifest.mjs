// Rebuilds prisma/schema.manifest.json from prisma/migrations on a scratch server; with --check only says whether the
// file is what a rebuild gives (exit 1 if not). Needs the built library: npm run build.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '../dist/platform/database/embedded-postgres.js';
import { buildManifest } from '../dist/platform/database/lifecycle/manifest-build.js';
import { serialiseManifest } from '../dist/platform/database/lifecycle/manifest.js';
import { loadMigrations } from '../dist/platform/database/lifecycle/migration-files.js';

const prisma = join(import.meta.dirname, '../prisma');
const file = join(prisma, 'schema.manifest.json');
const check = process.argv.includes('--check');

const dir = await mkdtemp(join(tmpdir(), 'parley-manifest-'));
const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };
const server = await startEmbedded({ dir, log: () => {}, settings });
try {
  const manifest = await buildManifest(server.url, await loadMigrations(join(prisma, 'migrations')));
  const text = serialiseManifest(manifest);
  const known = await readFile(file, 'utf8').catch(() => '');
  if (check && known !== text) {
    console.error(firstDifference(known, text));
    console.error('prisma/schema.manifest.json is not what the migrations make. Run: npm run manifest');
    process.exitCode = 1;
  } else if (!check) await writeFile(file, text);
  const { head, migrations, objects } = manifest;
  console.log(
    `${head}: ${migrations.length} migrations, ${objects.length} objects, ${known === text ? 'unchanged' : 'changed'}`,
  );
} finally {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
}

function firstDifference(known, rebuilt) {
  const [before, after] = [known.split('\n'), rebuilt.split('\n')];
  const line = after.findIndex((text, index) => text !== before[index]);
  const at = line === -1 ? after.length : line;
  return `line ${at + 1}\n- ${before[at] ?? ''}\n+ ${after[at] ?? ''}`;
}
