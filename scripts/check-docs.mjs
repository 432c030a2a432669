#!/usr/bin/env node
// What the documents point at exists: relative links, and the npm scripts they name.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './node-runtime.mjs';

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const skipped = /^(node_modules|dist|coverage|test|bench\/reports|\.)/;

const documents = readdirSync(root)
  .filter((entry) => !skipped.test(entry))
  .flatMap((entry) => (entry.endsWith('.md') ? [entry] : within(entry)));

function within(folder) {
  if (!['docs', 'client', 'web', 'bench', 'deploy', 'prisma'].includes(folder)) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name}`)
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules/'));
}

const faults = documents.flatMap((document) => {
  const text = readFileSync(join(root, document), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)/g)].map(([, link]) => link);
  const commands = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name);
  return [
    ...links
      .filter((link) => !existsSync(join(root, dirname(document), link)))
      .map((link) => `${document}: no such file ${link}`),
    ...commands.filter((name) => !scripts[name]).map((name) => `${document}: no such command npm run ${name}`),
  ];
});

// Messages that troubleshooting quotes are the program's own; "…" stands for what varies.
const quoting = 'docs/guides/troubleshooting.md';
const sources = ['src', 'scripts'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs)$/.test(name) && !name.startsWith('generated'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8')),
);
for (const [, said] of readFileSync(join(root, quoting), 'utf8').matchAll(/^\| `([^`]+)`/gm)) {
  const parts = said.split('…').map((part) => part.trim());
  const told = sources.some((text) => parts.every((part) => text.includes(part)));
  if (!told) faults.push(`${quoting}: nothing says "${said}"`);
}
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
