// Plain JavaScript for Node 20: remembers from which sources a step's result was made.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { root } from './node-runtime.mjs';

const folder = join(root, '.parley', 'build');
const fileOf = (step) => join(folder, `${step.name.replaceAll(' ', '-')}.json`);

/**
 * Whether the sources differ from those of the last success. Size and time of change answer in a few ms; only where
 * these differ are the contents compared, since a checkout touches files without changing them.
 */
export function changed(step) {
  let before;
  try {
    before = JSON.parse(readFileSync(fileOf(step), 'utf8'));
  } catch {
    return true;
  }
  const files = filesOf(step);
  if (before.quick === quick(files)) return false;
  if (before.content !== content(files)) return true;
  remember(step);
  return false;
}

export function remember(step) {
  const files = filesOf(step);
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(step), JSON.stringify({ quick: quick(files), content: content(files) }));
}

const hash = (parts) => parts.reduce((sum, part) => sum.update(part).update('\0'), createHash('sha256')).digest('hex');
const quick = (files) => hash(files.map(({ name, stat }) => `${name} ${stat.size} ${stat.mtimeMs}`));
const content = (files) => hash(files.flatMap(({ name }) => [name, readFileSync(join(root, name))]));

function filesOf({ inputs, ignore }) {
  return inputs
    .flatMap((input) => list(join(root, input)))
    .filter(({ name }) => !ignore?.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function list(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return [];
  if (!stat.isDirectory()) return [{ name: relative(root, path), stat }];
  return readdirSync(path)
    .filter((name) => name !== 'node_modules')
    .flatMap((name) => list(join(path, name)));
}
