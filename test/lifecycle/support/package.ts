import { appendFile, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildManifest } from '../../../src/platform/database/lifecycle/manifest-build.js';
import { serialiseManifest } from '../../../src/platform/database/lifecycle/manifest.js';
import { loadMigrations } from '../../../src/platform/database/lifecycle/migration-files.js';
import { root } from '../../support/server-process.js';

export interface PackageOptions {
  /** Folders beside the product's migrations; `server` makes the manifest that goes with them. */
  migrations?: Record<string, string>;
  server?: string;
  /** Puts `decoys.mjs` into the root module; the variable DECOYS says what they do. */
  decoys?: boolean;
}

export interface Package {
  folder: string;
  /** Its main file. */
  entry: string;
  remove(): Promise<void>;
}

/** The built server as a package of its own: another version of Parley, or one with defects planted in it. */
export async function makePackage({ migrations = {}, server, decoys }: PackageOptions): Promise<Package> {
  const folder = await mkdtemp(join(tmpdir(), 'parley-package-'));
  await cp(join(root, 'dist'), join(folder, 'dist'), {
    recursive: true,
    filter: (path) => !path.endsWith('.map') && !path.startsWith(join(root, 'dist/production')),
  });
  await cp(join(root, 'prisma'), join(folder, 'prisma'), { recursive: true });
  await cp(join(root, 'package.json'), join(folder, 'package.json'));
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, sql] of Object.entries(migrations)) {
    await mkdir(join(folder, 'prisma/migrations', name));
    await writeFile(join(folder, 'prisma/migrations', name, 'migration.sql'), sql);
  }
  if (server) {
    const manifest = await buildManifest(server, await loadMigrations(join(folder, 'prisma/migrations')));
    await writeFile(join(folder, 'prisma/schema.manifest.json'), serialiseManifest(manifest));
  }
  if (decoys) await plantDecoys(folder);
  return { folder, entry: join(folder, 'dist/main.js'), remove: () => rm(folder, { recursive: true, force: true }) };
}

async function plantDecoys(folder: string): Promise<void> {
  const file = join(folder, 'dist/app.module.js');
  if (!(await readFile(file, 'utf8')).includes('AppModule')) throw new Error('no root module to plant decoys in');
  await appendFile(
    file,
    `
import { decoys } from '${pathToFileURL(join(import.meta.dirname, 'decoys.mjs')).href}';
import { DatabaseService as DecoyDatabase } from './platform/database/database.service.js';
import { sql as decoySql } from './platform/database/sql.js';
import { BackgroundWork as DecoyWork } from './platform/lifecycle/background-work.js';
const register = AppModule.register;
AppModule.register = (context) => {
  const module = register.call(AppModule, context);
  return { ...module, imports: [...module.imports, decoys(DecoyDatabase, DecoyWork, decoySql)] };
};
`,
  );
}
