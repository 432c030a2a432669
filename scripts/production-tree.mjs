// Assembles what a production image holds: the bundle, the migrations with their manifest, the API documents, and a
// package.json with the two native dependencies that cannot be bundled.
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
writeFileSync(join(target, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
