import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/config/package-root.js';
import { parseManifest } from '../../src/platform/database/lifecycle/manifest.js';
import { runLifecycle } from '../../src/platform/database/lifecycle/run-lifecycle.js';
import { loadSeeds } from '../../src/platform/database/lifecycle/seeds.js';

/** Brings a database to the schema of this build the way the server itself does: migrated, seeded, verified. */
export async function migrateTemplate(url: string): Promise<void> {
  const prisma = join(packageRoot(), 'prisma');
  const manifest = join(prisma, 'schema.manifest.json');
  await runLifecycle({
    connectionString: url,
    migrationsDir: join(prisma, 'migrations'),
    seeds: loadSeeds(join(prisma, 'seeds')),
    ...(existsSync(manifest) ? { manifest: parseManifest(readFileSync(manifest, 'utf8')) } : {}),
    appVersion: 'test',
  });
}
