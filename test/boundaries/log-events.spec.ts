import { globSync, readFileSync } from 'node:fs';
import { logEvents } from '../../src/platform/logging/log-events.js';

const sources = globSync('src/**/*.ts', {
  exclude: (path) => path.includes('generated') || path.endsWith('.spec.ts') || path.endsWith('log-events.ts'),
}).map((path) => readFileSync(path, 'utf8'));

// That no other event is written, and none at another level, the types of the log see to.
it('has no event in the catalogue that the code does not write', () => {
  const literals = new Set(sources.flatMap((text) => [...text.matchAll(/'([a-z_.]+)'/g)].map(([, name]) => name)));
  const catalogue = Object.values(logEvents).flatMap((events) => Object.keys(events));
  expect(catalogue.length).toBeGreaterThan(100);
  expect(catalogue.filter((name) => !literals.has(name))).toEqual([]);
});

it('every line that is written past the log has an event of the catalogue', () => {
  const past = sources.filter((text) => /\.pino\[|logger: log\.pino/.test(text) && !text.includes('class Log '));
  expect(past.length).toBe(2);
  for (const text of past) expect(text).toMatch(/event: '[a-z.]+' satisfies LogEvent/);
});
