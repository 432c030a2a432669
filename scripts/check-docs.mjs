#!/usr/bin/env node
// What the documents say is so: relative links, npm scripts, quoted messages, and the code the tour shows.
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

// Messages that guides quote are the program's own; "…", and in the migrations guide its examples, stand for what varies.
const quotations = [
  ['docs/guides/troubleshooting.md', /^\| `([^`]+)`/gm, '…'],
  [
    'docs/guides/migrations.md',
    /^\| \d\d \| `([^`]+)`/gm,
    /\.{3}(?:_x)?|2026(?=\.{3})|030_permissions|\d+ failed: .*|:(?: |$)|N$/,
  ],
];
const sources = ['src', 'scripts'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|mjs)$/.test(name) && !name.startsWith('generated'))
    .map((name) => readFileSync(join(root, folder, name), 'utf8')),
);
for (const [quoting, pattern, varies] of quotations) {
  for (const [, said] of readFileSync(join(root, quoting), 'utf8').matchAll(pattern)) {
    const parts = said.split(varies).map((part) => part.trim());
    const told = sources.some((text) => parts.every((part) => text.includes(part)));
    if (!told) faults.push(`${quoting}: nothing says "${said}"`);
  }
}

// The tour quotes the code: every line of a quotation stands in the file that is linked above it, and the diagram is the
// table by which imports are checked.
const tour = 'docs/architecture.md';
const tourText = readFileSync(join(root, tour), 'utf8');
for (const [, link, quotation] of tourText.matchAll(/\]\(([^)\s]+)\)[^\n]*\n\n```(?:ts|sql)\n([\s\S]*?)```/g)) {
  const source = readFileSync(join(root, dirname(tour), link), 'utf8');
  const known = new Set(source.split('\n').map((line) => line.trim()));
  for (const line of quotation.split('\n').map((text) => text.trim()))
    if (line && line !== '…' && !known.has(line)) faults.push(`${tour}: ${link} has no line "${line}"`);
}
const { capabilities, modules } = await import('../test/boundaries/boundaries.mjs');
const arrows = Object.entries(modules).flatMap(([name, callees]) =>
  callees.length > 0 ? callees.map((callee) => `  ${name} --> ${callee}`) : [`  ${name}`],
);
const diagram = `\`\`\`mermaid\nflowchart TD\n${arrows.join('\n')}\n\`\`\``;
if (!tourText.includes(diagram)) faults.push(`${tour}: the diagram is not the table; it has to be:\n${diagram}`);
for (const capability of capabilities.flat())
  if (!tourText.includes(`\`${capability}\``)) faults.push(`${tour}: says nothing about platform/${capability}`);

// The checklist names proofs: files of the repository, and commands that exist.
const checklist = 'docs/checklist.md';
const promises = readFileSync(join(root, checklist), 'utf8');
for (const [, path] of promises.matchAll(/`((?:\w[\w-]*\/)+[\w.-]+\.\w+)`/g))
  if (/^(test|src|bench|docs|deploy|scripts)\//.test(path) && !existsSync(join(root, path)))
    faults.push(`${checklist}: no such file ${path}`);
for (const [line] of promises.matchAll(/^\| \[x\] .*$/gm))
  if (!/`[^`]+`[^|]*\|$/.test(line)) faults.push(`${checklist}: nothing proves ${line.slice(0, 80)}`);

for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
