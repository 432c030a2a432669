import { ignoredBy, parseDockerfile, type Stage, words } from '../../scripts/docker/dockerfile.mjs';
import { serverFlags } from '../../scripts/node-runtime.mjs';
import { text } from './support/files.js';

const stages = parseDockerfile(text('Dockerfile'));
const last = stages.at(-1) as Stage;
const step = (instruction: string) => last.steps.findLast((found) => found.instruction === instruction)?.text ?? '';

it('every stage starts from the Node that the packages bring, pinned', () => {
  for (const { from } of stages) expect(from).toBe(`node:${process.versions.node}-bookworm-slim`);
});

it('installs from the lock file, without scripts', () => {
  const installs = stages.flatMap(({ steps }) =>
    steps.filter(({ text: command }) => /\bnpm (ci|i|install)\b/.test(command)),
  );
  expect(installs).toHaveLength(2);
  for (const { text: command } of installs) expect(command).toMatch(/^npm ci\b.*--ignore-scripts/);
});

it('ends as the user node, with Node itself as PID 1 and a health check of the exec form', () => {
  expect(step('USER')).toBe('node');
  expect(words(step('CMD'))).toEqual(['node', ...serverFlags, 'dist/production/main.js']);
  const { scripts } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };
  expect(scripts['start:prod']).toContain(`node ${serverFlags.join(' ')} dist/main.js`);
  expect(step('CMD')).toMatch(/^\[/);
  expect(words(step('HEALTHCHECK').replace(/^CMD\s+/, ''))[0]).toBe('node');
  expect(last.steps.findIndex(({ instruction }) => instruction === 'USER')).toBeGreaterThan(
    last.steps.findLastIndex(({ instruction }) => instruction === 'COPY' || instruction === 'RUN'),
  );
});

it('the last stage copies results alone: no sources, no packages of the build, no Prisma', () => {
  const copies = last.steps.filter(({ instruction }) => instruction === 'COPY');
  expect(copies.map(({ text: paths, flags }) => [flags['from'], paths])).toEqual([
    ['build', '/tree ./'],
    ['dependencies', '/tree/node_modules ./node_modules'],
  ]);
});

it('.dockerignore keeps secrets, data and what the build makes out of the context', () => {
  const ignored = ignoredBy(text('.dockerignore'));
  for (const path of [
    '.env',
    '.env.production',
    '.git/config',
    '.parley/pg',
    'node_modules/x',
    'client/node_modules/x',
    'dist/main.js',
    'data/media',
  ])
    expect([path, ignored(path)]).toEqual([path, true]);
  for (const path of ['package.json', 'src/main.ts', 'prisma/seeds', 'environment.md', '.npmrc'])
    expect([path, ignored(path)]).toEqual([path, false]);
});
