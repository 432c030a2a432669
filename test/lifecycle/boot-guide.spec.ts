import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes } from '../../src/platform/database/lifecycle/errors.js';
import { BootState, phases } from '../../src/platform/lifecycle/boot-state.js';
import { registry } from '../../src/platform/logging/metrics.js';
import { root } from '../support/server-process.js';

const guide = readFileSync(join(root, 'docs/guides/boot.md'), 'utf8');
const rows = (heading: string): string[][] =>
  (guide.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()));

it('the guide names every phase in order, with its Retry-After', () => {
  const table = rows('Phases').filter(([, first = '']) => /^`[a-z_]+`$/.test(first));
  expect(table.map(([, phase]) => phase)).toEqual(phases.map((phase) => `\`${phase}\``));
  for (const [, phase = '', , seconds = ''] of table.slice(0, -2)) {
    const boot = new BootState('0');
    boot.enter(phase.slice(1, -1) as (typeof phases)[number]);
    expect(`${phase} ${seconds}`).toBe(`${phase} ${boot.retryAfterSeconds}`);
  }
});

it('the guide names every exit code of the lifecycle', () => {
  const codes = rows('Exit codes').map(([, code]) => code);
  for (const code of Object.values(exitCodes)) expect(codes).toContain(String(code));
});

it('the guide names only metrics that exist', () => {
  const named = rows('Metrics').flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z_]+)/g)].map(([, name]) => name));
  expect(named.length).toBeGreaterThan(8);
  for (const name of named) expect(registry.getSingleMetric(name ?? '')).toBeDefined();
});
