import { createTestApp, type TestApp } from '../support/app.js';
import { connect, type Connection, type Person } from '../support/people.js';
import { CommandRegistry } from '../../src/platform/realtime/command-registry.js';
import { commands } from './authorization/commands.js';
import { ending, prepare } from './authorization/requests.js';
import { type Cast, castFor, type Scene, sceneFor } from './authorization/world.js';
import { jsonSchemaOf, openObjects, type Route, routesOf } from './routes.js';

let app: TestApp;
let cast: Cast;
let scene: Scene;
let routes: Route[];
let owner: Person;
let socket: Connection;
beforeAll(async () => {
  app = await createTestApp({ MAX_SOCKETS_PER_USER: '1000' });
  routes = routesOf(app);
  cast = await castFor(app);
  scene = await sceneFor(cast);
  owner = cast.people.owner;
  socket = await connect(owner);
});
afterAll(async () => {
  socket.close();
  await app.close();
});

/** What nobody may say of themselves or of a row. */
const stolen = {
  isAdmin: true,
  roles: ['admin'],
  permissions: ['users.read'],
  id: '00000000-0000-7000-8000-000000000000',
  userId: '00000000-0000-7000-8000-000000000000',
  senderId: '00000000-0000-7000-8000-000000000000',
  seq: 1,
  rev: 1,
  ord: 1,
  state: 'active',
  createdAt: '2020-01-01T00:00:00.000Z',
  emailVerified: true,
};
const commandsOf = () => app.app.nest.get(CommandRegistry).all();

/** Free JSON of the caller's own, which nothing is read from. */
const free = new Set([
  'POST /api/v1/conversations/:id/messages .meta',
  'PATCH /api/v1/conversations/:id/messages/:seq .meta',
  'POST /api/v1/scheduled-messages .meta',
  'POST /api/v1/system-health/load-test-reports .summary',
  // Positions by conversation id.
  'POST /api/v1/sync .heads',
  'socket sync .heads',
]);

it('every object that a route or an event takes is closed', () => {
  const open = [
    ...routes.flatMap(({ name, body, query }) =>
      [body, query].flatMap((schema) =>
        schema ? openObjects(jsonSchemaOf(schema, 'input')).map((path) => `${name} ${path}`) : [],
      ),
    ),
    ...commandsOf().flatMap(({ event, schema }) =>
      openObjects(jsonSchemaOf(schema, 'input')).map((path) => `socket ${event} ${path}`),
    ),
  ];
  expect(open.filter((one) => !free.has(one) && !/^socket message\.\w+ \.meta$/.test(one))).toEqual([]);
});

it.each(Object.keys(stolen))('no route takes %s from whom it does not ask', async (member) => {
  const taken: string[] = [];
  let asked = 0;
  for (const { name, method, path, body: schema } of routes) {
    if (!schema || ending[name] || declares(schema, member)) continue;
    const prepared = await prepare(name, cast, scene);
    const by = path.includes('/admin/') || path.includes('/system-health/') ? cast.people.administrator : owner;
    const body = { ...(prepared.body as object | undefined), [member]: stolen[member as keyof typeof stolen] };
    const answer = await by.send<{ code?: string }>(method, prepared.path, body, prepared.headers ?? {});
    asked += 1;
    if (answer.status !== 400 || answer.body.code !== 'validation_failed') taken.push(`${name} ${answer.status}`);
  }
  expect(taken).toEqual([]);
  expect(asked).toBeGreaterThan(40);
});

it('nor does a socket event', async () => {
  const taken: string[] = [];
  for (const { event, schema } of commandsOf()) {
    const good = await commands[event]?.(cast, await sceneFor(cast), 'owner');
    for (const [member, value] of Object.entries(stolen)) {
      if (declares(schema, member)) continue;
      const ack = await socket.emit(event, { ...(good as object), [member]: value });
      if (ack.ok || ack.error.code !== 'validation_failed') taken.push(`${event} ${member}`);
    }
  }
  expect(taken).toEqual([]);
}, 60_000);

it('and nobody has become more than they were', async () => {
  expect((await owner.get('/api/v1/users/me')).body).toMatchObject({
    roles: ['user'],
    permissions: [],
    emailVerified: false,
  });
});

/** Whether the member is asked for at the top of the body, in some variant. */
function declares(schema: Parameters<typeof jsonSchemaOf>[0], member: string): boolean {
  const inside = (part: ReturnType<typeof jsonSchemaOf>): boolean =>
    part.properties?.[member] !== undefined ||
    [...(part.anyOf ?? []), ...(part.oneOf ?? []), ...(part.allOf ?? [])].some(inside);
  return inside(jsonSchemaOf(schema, 'input'));
}
