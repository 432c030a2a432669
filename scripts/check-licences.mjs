#!/usr/bin/env node
// The licences of everything that is installed with a production Parley: each package of the lock file that is not for
// development alone, or an optional peer, has to carry one of those below.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './node-runtime.mjs';

const allowed = new Set([
  'MIT',
  'MIT-0',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'CC0-1.0',
  'Python-2.0',
  'Unlicense',
]);
/** Exceptions, each with its reason. */
const exceptions = [
  // Each file keeps its licence; used unchanged.
  { name: /^web-push$/, licence: /^MPL-2\.0$/ },
  // Loaded as a shared library, unchanged, and exchangeable by whoever installs it.
  { name: /^@img\/sharp-(libvips-|win32-|wasm32)/, licence: /LGPL-3\.0-or-later/ },
];

/** An SPDX expression is fine when one side of each OR, and both of each AND, are. */
const fits = (expression) => {
  const plain = expression.replaceAll(/[()]/g, '');
  return plain.split(/ OR /).some((side) => side.split(/ AND /).every((one) => allowed.has(one.trim())));
};

const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const faults = [];
let checked = 0;
for (const [path, { dev, devOptional, link, license: locked }] of Object.entries(packages)) {
  if (!path.includes('node_modules/') || dev || devOptional || link) continue;
  const file = join(root, path, 'package.json');
  // A package for another platform is not installed here; the lock file knows its licence.
  const { license = locked, licenses } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const licence = String(
    license?.type ?? license ?? locked ?? licenses?.map(({ type }) => type).join(' OR ') ?? 'none',
  );
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  checked += 1;
  if (fits(licence)) continue;
  if (exceptions.some((exception) => exception.name.test(name) && exception.licence.test(licence))) continue;
  faults.push(`${path}: ${licence}`);
}
for (const fault of faults) console.error(fault);
console.log(`${checked} packages, ${faults.length} with a licence that is not on the list`);
if (faults.length > 0) process.exitCode = 1;
