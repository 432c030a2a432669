import { loadMigrations } from './migration-files.js';
import type { Build } from './reconcile.js';
import type { LifecycleOptions } from './types.js';

/** Reads what this build brings. Throws exit 10 for any file that cannot be trusted. */
export async function loadBuild(options: LifecycleOptions): Promise<Build> {
  const files = await loadMigrations(options.migrationsDir);
  const epoch = Math.max(0, ...files.map((file) => file.epoch));
  return { files, manifest: options.manifest, seeds: options.seeds ?? [], epoch };
}
