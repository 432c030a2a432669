import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestApp, type TestApp } from '../support/app.js';
import { connect, register } from '../support/people.js';
import { PolicyCheck } from '../../src/platform/auth/policy-check.js';
import { CommandRegistry } from '../../src/platform/realtime/command-registry.js';
import { commands } from './authorization/commands.js';
import { ending, prepare } from './authorization/requests.js';
import { type Cast, castFor, clientOf, type Persona, personas, type Scene, sceneFor } from './authorization/world.js';

/** Who gets what, by route and by socket event: one line each, one column for each persona. */
const table = new Map(
  readFileSync(join(import.meta.dirname, 'authorization/matrix.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const columns = line.split(/\s+/);
      const name = columns.slice(0, -personas.length).join(' ');
      return [
        name,
        Object.fromEntries(personas.map((persona, i) => [persona, columns.at(i - personas.length)])),
      ] as const;
    }),
);
const restRows = [...table].filter(([name]) => /^[A-Z]+ \//.test(name));
const socketRows = [...table].filter(([name]) => name.startsWith('socket '));

let app: TestApp;
let cast: Cast;
let shared: Scene;
beforeAll(async () => {
  app = await createTestApp({ MAX_SOCKETS_PER_USER: '1000', ACCESS_TOKEN_TTL: '86400' });
  cast = await castFor(app);
  shared = await sceneFor(cast);
});
afterAll(() => app.close());

it('every route and every socket event has a row, and every row a route or an event', () => {
  const routes = app.app.nest
    .get(PolicyCheck)
    .routes()
    .map(({ method, path }) => `${method} ${path}`);
  const events = app.app.nest
    .get(CommandRegistry)
    .all()
    .map(({ event }) => `socket ${event}`);
  expect([...table.keys()].toSorted()).toEqual([...routes, ...events].toSorted());
});

/** Rows with an id that answer strangers something else than 404, and why that is right. */
const open: Record<string, RegExp> = {
  'the id is of something public': /users\/:id$|users\/me\/(contacts|blocks)\/|invites\/:code/,
  'only the own is meant, whoever has one of this id': /devices\/:deviceId|notifications\/:id$/,
  'a signature decides': /media\/files|exports\/:id\/archive/,
  'a permission is asked before': / \/api\/v1\/(admin|system-health)\//,
};

it('to strangers and former members every id is as if it were not there', () => {
  const told = restRows.filter(
    ([name, { stranger, exmember }]) => name.includes(':') && !(stranger === '404' && exmember === '404'),
  );
  expect(told.map(([name]) => name).filter((name) => !Object.values(open).some((why) => why.test(name)))).toEqual([]);
  const permitted = restRows.filter(([name]) => / \/api\/v1\/(admin|system-health)\//.test(name));
  expect(permitted.filter(([, row]) => row['stranger'] !== '403' || row['anonymous'] !== '401')).toEqual([]);
});

it.each(restRows)('%s', async (route, expected) => {
  expect(await outcomes((persona) => ask(route, persona))).toEqual(expected);
});

it.each(socketRows)('%s', async (row, expected) => {
  expect(await outcomes((persona) => emit(row.replace('socket ', ''), persona))).toEqual(expected);
});

async function outcomes(of: (persona: Persona) => Promise<string>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const persona of personas) found[persona] = await of(persona);
  return found;
}

async function ask(route: string, persona: Persona): Promise<string> {
  const [method = ''] = route.split(' ');
  const touches = route.includes(':') && (method !== 'GET' || route.includes('/calls/'));
  const scene = touches ? await sceneFor(cast) : shared;
  const { path, body, headers = {} } = await prepare(route, cast, scene);
  const signedIn = persona !== 'anonymous' && persona !== 'suspended';
  const bodyOf = ending[route];
  if (bodyOf && signedIn) {
    const somebody = await register(app.url);
    return String((await somebody.send(method, path, bodyOf(somebody.password), headers)).status);
  }
  return String((await clientOf(cast, persona).send(method, path, body, headers)).status);
}

async function emit(event: string, persona: Persona): Promise<string> {
  if (persona === 'anonymous')
    return connect({ url: app.url, accessToken: '', deviceId: randomUUID() }).then(
      () => 'connected',
      () => 'refused',
    );
  const scene = await sceneFor(cast);
  const payload = await commands[event]?.(cast, scene, persona);
  const connection = await connect(cast.people[persona]).catch(() => undefined);
  if (!connection) return 'refused';
  try {
    const ack = await connection.emit(event, payload);
    return ack.ok ? 'ok' : ack.error.code;
  } finally {
    connection.close();
  }
}
