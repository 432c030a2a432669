import { globSync, readFileSync } from 'node:fs';

const sources = globSync('src/**/*.ts', { exclude: (path) => path.includes('generated') || path.endsWith('.spec.ts') });
/** Files with an import that is made when the file is loaded; those of types alone vanish in the build. */
const loading = (what: string) =>
  sources.filter((path) => new RegExp(`^import (?!type )[^;]*?'${what}[^']*';`, 'm').test(readFileSync(path, 'utf8')));

it('loads OpenTelemetry in one file, which nobody loads who does not trace', () => {
  expect(loading('@opentelemetry/')).toEqual(['src/platform/logging/otlp-tracer.ts']);
  expect(loading('.*/otlp-tracer\\.js')).toEqual([]);
});

it.each(['cockatiel', 'ioredis', '@aws-sdk/', 'pino-roll', 'pino-pretty'])('loads %s at first use', (name) => {
  expect(loading(name)).toEqual([]);
});
