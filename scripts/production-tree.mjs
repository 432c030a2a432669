// Assembles what a production image holds: the bundle, the migrations with their manifest, the API documents, and a
// package.json with the two native dependencies that cannot be bundled, beside the part of the lock file that is theirs.
//   node scripts/production-tree.mjs <folder>     (after npm run build:production)
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './node-runtime.mjs';

const target = process.argv[2];
if (!target) {
  console.error('Name the folder: node scripts/production-tree.mjs <folder>');
  process.exit(2);
}

const { name, version, license, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const native = ['@node-rs/argon2', 'sharp'];

mkdirSync(target, { recursive: true });
const copies = [
  'dist/production',
  'prisma/migrations',
  'prisma/seeds',
  'prisma/schema.manifest.json',
  'docs/openapi.json',
  'docs/asyncapi.json',
  'docs/llms.txt',
  'docs/pages',
  'dist/docs',
  'web/dist',
  'LICENSE',
];
for (const path of copies)
  if (existsSync(join(root, path))) cpSync(join(root, path), join(target, path), { recursive: true });
const manifest = {
  name,
  version,
  license,
  private: true,
  type: 'module',
  dependencies: Object.fromEntries(native.map((dependency) => [dependency, dependencies[dependency]])),
};
const write = (file, content) => writeFileSync(join(target, file), `${JSON.stringify(content, null, 2)}\n`);
write('package.json', manifest);
write('package-lock.json', lockFor(manifest));

/** The lock file of the clone, without the packages that nothing here needs: `npm ci` then installs the same versions. */
function lockFor({ name, version, license, dependencies }) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const packages = { '': { name, version, license, dependencies } };
  const add = (path) => {
    if (packages[path]) return;
    packages[path] = lock.packages[path];
    const { dependencies = {}, optionalDependencies = {} } = packages[path];
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = nearest(lock.packages, path, dependency);
      if (found) add(found);
    }
  };
  for (const dependency of native) add(`node_modules/${dependency}`);
  return { name, version, lockfileVersion: lock.lockfileVersion, requires: true, packages };
}

/** Where Node would find the package: beside its user, or above. */
function nearest(packages, from, dependency) {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder ? `${folder}/` : ''}node_modules/${dependency}`;
    if (packages[path]) return path;
    if (!folder) return undefined;
  }
}
