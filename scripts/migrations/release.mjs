#!/usr/bin/env node
/**
 * `npm run migration:release`: seals every migration that is not yet in prisma/released.sha256; snapshot.mjs then keeps a
 * database as this version leaves it for the upgrade test. Part of a release, after `npm run build`.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readReleased } from './released.mjs';

const prisma = resolve(import.meta.dirname, '../../prisma');
const released = readReleased(prisma);
const names = readdirSync(join(prisma, 'migrations'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !released.has(entry.name))
  .map((entry) => entry.name)
  .toSorted();
for (const name of names) {
  const path = `migrations/${name}/migration.sql`;
  const checksum = createHash('sha256')
    .update(readFileSync(join(prisma, path)))
    .digest('hex');
  appendFileSync(join(prisma, 'released.sha256'), `${checksum}  ${path}\n`);
}
console.log(names.length > 0 ? `Released: ${names.join(', ')}` : 'Nothing new to release.');
