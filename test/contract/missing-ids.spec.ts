import { createTestApp, type TestApp } from '../support/app.js';
import { PolicyCheck } from '../../src/platform/auth/policy-check.js';
import { ending, prepare } from './authorization/requests.js';
import { type Cast, castFor, type Scene, sceneFor } from './authorization/world.js';

let app: TestApp;
let cast: Cast;
let scene: Scene;
beforeAll(async () => {
  app = await createTestApp();
  cast = await castFor(app);
  scene = await sceneFor(cast);
});
afterAll(() => app.close());

/** The id is the caller's own choice: there is nothing that could be missing. */
const creating = new Set(['PUT /api/v1/devices/:deviceId']);

const mutating = (): string[] =>
  app.app.nest
    .get(PolicyCheck)
    .routes()
    .filter(({ method, path, policy }) => method !== 'GET' && path.includes(':') && policy !== 'signature')
    .map(({ method, path }) => `${method} ${path}`)
    .filter((route) => ending[route] === undefined && !creating.has(route));
const parametersOf = (route: string): string[] => [...route.matchAll(/:(\w+)/g)].map(([, name = '']) => name);

/** Nothing there: said so, or nothing done. */
const harmless = new Set([200, 202, 204, 404]);

async function ask(route: string, missing: readonly string[]) {
  const { path, body, headers = {} } = await prepare(route, cast, scene, missing);
  const client = path.includes('/admin/') ? cast.people.administrator : cast.people.owner;
  const [method = ''] = route.split(' ');
  const { status, body: answer } = await client.send<{ code?: string }>(method, path, body, headers);
  return { route: `${route} without ${missing.join(', ')}`, status, code: answer.code };
}

it('every mutating route answers 404 for ids that do not exist, or does nothing', async () => {
  const answers = [];
  for (const route of mutating()) {
    scene = await sceneFor(cast);
    answers.push(await ask(route, parametersOf(route)));
  }
  expect(answers.length).toBeGreaterThan(40);
  expect(answers.filter(({ status }) => !harmless.has(status))).toEqual([]);
  expect(answers.filter(({ status, code }) => status === 404 && code !== 'not_found')).toEqual([]);
});

it('and the same when only the innermost one is missing', async () => {
  const nested = mutating().filter((route) => parametersOf(route).length > 1);
  const answers = [];
  for (const route of nested) {
    scene = await sceneFor(cast);
    answers.push(await ask(route, parametersOf(route).slice(-1)));
  }
  expect(answers.length).toBeGreaterThan(10);
  expect(answers.filter(({ status }) => !harmless.has(status))).toEqual([]);
});
