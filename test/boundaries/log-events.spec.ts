import { globSync, readFileSync } from 'node:fs';

const NAME = /^(?:nest|[a-z_]+(?:\.[a-z_]+)+)$/;
const sources = globSync('src/**/*.ts', { exclude: (path) => path.includes('generated') || path.endsWith('.spec.ts') });
const code = new Map(sources.map((path) => [path, readFileSync(path, 'utf8')]));

/** First argument of a call on a log; and in the schema lifecycle, which knows no log, the event of what it reports. */
const patterns = [
  /\b[lL]og(?:ger)?(?:\??\.(?:debug|info|warn|error)|\[[^\]]+\])?\??\(\s*('[a-z_.]+')/g,
  /\bevent\??:((?:\s*[|?:(]?[^,;{}()|?:]*?[?:|]?\s*'[a-z_.]+'\s*)+)/g,
];

function eventsIn(text: string, path = 'platform/database/'): string[] {
  return patterns
    .slice(0, path.includes('platform/database/') ? 2 : 1)
    .flatMap((pattern) => [...text.matchAll(pattern)].flatMap(([, found = '']) => [...found.matchAll(/'([a-z_.]+)'/g)]))
    .map(([, name = '']) => name)
    .filter((name) => NAME.test(name));
}

const catalogue = new Set(
  [...readFileSync('docs/guides/log-events.md', 'utf8').matchAll(/^\| (.*?) \|/gm)]
    .flatMap(([, cell = '']) => [...cell.matchAll(/`([a-z_.]+)`/g)])
    .map(([, name = '']) => name),
);

it('finds the ways in which events are written', () => {
  expect(eventsIn(`this.log.warn('a.b', {})`)).toEqual(['a.b']);
  expect(eventsIn(`log[up ? 'info' : 'warn']('c.d')`)).toEqual(['c.d']);
  expect(eventsIn(`run.report({ event: 'e.f', more })`)).toEqual(['e.f']);
  expect(eventsIn(`log('g.h', { pid })`)).toEqual(['g.h']);
  expect(eventsIn(`event: 'i.j' | 'k.l',`)).toEqual(['i.j', 'k.l']);
});

it('has every event of the code in the catalogue', () => {
  const missing = [...code].flatMap(([path, text]) =>
    eventsIn(text, path)
      .filter((name) => !catalogue.has(name))
      .map((name) => `${name} (${path})`),
  );
  expect(missing).toEqual([]);
});

it('has no event in the catalogue that the code does not write', () => {
  const literals = new Set(
    [...code.values()].flatMap((text) => [...text.matchAll(/'([a-z_.]+)'/g)].map(([, name]) => name)),
  );
  expect([...catalogue].filter((name) => !literals.has(name))).toEqual([]);
});
