import { join } from 'node:path';
import { readFileSync, writeFileSync } from 'node:fs';
import { createTestApp, type TestApp } from '../support/app.js';
import { clientOf, type Cast, castFor, type Scene, sceneFor } from './authorization/world.js';
import { ending, prepare } from './authorization/requests.js';
import { jsonSchemaOf, memberPaths, type Route, routesOf } from './routes.js';

let app: TestApp;
let cast: Cast;
let scene: Scene;
let routes: Route[];
beforeAll(async () => {
  app = await createTestApp();
  routes = routesOf(app);
  cast = await castFor(app);
  scene = await sceneFor(cast);
});
afterAll(() => app.close());

const keysOf = ({ returned }: Route): string[] =>
  returned?.schema ? memberPaths(jsonSchemaOf(returned.schema, 'output')) : [];

const file = join(import.meta.dirname, 'answer-keys.txt');
const head = `# What every route may tell: one line each, all members of a successful answer. A member that is not here leaks.
# Written by the test of the same name with UPDATE_KEYS=1; read the difference before committing it.
`;

it('no route tells more than the list says', () => {
  const lines = routes.map((route) => `${route.name}: ${keysOf(route).join(' ') || '-'}`);
  const text = `${head}\n${lines.toSorted((a, b) => a.localeCompare(b)).join('\n')}\n`;
  if (process.env['UPDATE_KEYS']) writeFileSync(file, text);
  expect(text.split('\n')).toEqual(readFileSync(file, 'utf8').split('\n'));
});

/** The only members that are secrets, each told once to whom it belongs, or hashes of what is public. */
const known = new Set([
  'POST /api/v1/auth/register tokens.accessToken',
  'POST /api/v1/auth/register tokens.refreshToken',
  'POST /api/v1/auth/login tokens.accessToken',
  'POST /api/v1/auth/login tokens.refreshToken',
  'POST /api/v1/auth/refresh accessToken',
  'POST /api/v1/auth/refresh refreshToken',
  'POST /api/v1/auth/otp/verify tokens.accessToken',
  'POST /api/v1/auth/otp/verify tokens.refreshToken',
  'POST /api/v1/setup tokens.accessToken',
  'POST /api/v1/setup tokens.refreshToken',
  'GET /api/v1/dev/otp-inbox items[].code',
  'POST /api/v1/conversations/:id/invites code',
  'POST /api/v1/admin/webhooks secret',
  // Not in production.
  'POST /api/v1/demo/world people[].tokens.accessToken',
  'POST /api/v1/demo/world people[].tokens.refreshToken',
  'GET /api/v1/admin/audit-logs items[].hash',
  'GET /api/v1/admin/audit-logs/verify head.hash',
  'GET /api/v1/system-health/rate-limit-violations items[].keyHash',
  'GET /api/v1/system-health/rate-limit-violations items[].ipHash',
]);
const secret = /(?<!has)password|secret|token$|hash$|enc$|salt|otp|(^|[.\]])code$|privateKey/i;

/** Codes of errors and hashes of pictures are none. */
const isSecret = (key: string): boolean => secret.test(key) && !/blurhash$|refused\[\]\.code$/.test(key);

it('secrets are told once, by these routes alone', () => {
  const told = routes.flatMap((route) =>
    keysOf(route)
      .filter(isSecret)
      .map((key) => `${route.name} ${key}`),
  );
  expect(told.filter((one) => !known.has(one))).toEqual([]);
  expect([...known].filter((one) => !told.includes(one))).toEqual([]);
});

it('addresses are told to their owner and to administrators', () => {
  const told = routes.filter((route) => keysOf(route).some((key) => /(^|[.\]])(email|phone)$/.test(key)));
  const own =
    /^(GET|PATCH) \/api\/v1\/users\/me$|^POST \/api\/v1\/(auth\/(register|login|otp\/verify)|setup|demo\/world)$/;
  expect(
    told.map(({ name }) => name).filter((name) => !own.test(name) && !/ \/api\/v1\/admin\/users/.test(name)),
  ).toEqual([]);
});

it('and really tells nothing else', async () => {
  const wrong: string[] = [];
  let compared = 0;
  for (const route of routes.filter(({ name, returned }) => returned?.schema && ending[name] === undefined)) {
    if (route.method !== 'GET' && route.path.includes(':')) scene = await sceneFor(cast);
    const { path, body, headers = {} } = await prepare(route.name, cast, scene);
    for (const persona of ['owner', 'administrator'] as const) {
      const answer = await clientOf(cast, persona).send<unknown>(route.method, path, body, headers);
      if (answer.status !== route.returned?.status) continue;
      compared += 1;
      const allowed = new Set(keysOf(route));
      for (const key of pathsIn(answer.body)) {
        if (!allowed.has(key) && !within(allowed, key)) wrong.push(`${route.name} tells ${key}`);
        if (isSecret(key) && !known.has(`${route.name} ${key}`)) wrong.push(`${route.name} tells the secret ${key}`);
      }
    }
  }
  expect([...new Set(wrong)]).toEqual([]);
  expect(compared).toBeGreaterThan(100);
}, 120_000);

function pathsIn(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => pathsIn(item, `${path}[]`)))];
  if (typeof value !== 'object' || value === null) return path === '' || path.endsWith('[]') ? [] : [path];
  return Object.entries(value).flatMap(([name, member]) => pathsIn(member, path === '' ? name : `${path}.${name}`));
}

/** Whether the path is an empty branch of what is allowed, or lies under members that are anybody's. */
function within(allowed: ReadonlySet<string>, key: string): boolean {
  for (const one of allowed) {
    if (one.startsWith(`${key}.`) || one.startsWith(`${key}[]`)) return true;
    if (one.endsWith('*') && key.startsWith(one.slice(0, -1))) return true;
  }
  return false;
}
