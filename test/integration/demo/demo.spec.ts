import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import { register } from '../../support/people.js';

interface World {
  id: string;
  created: boolean;
  people: { user: { id: string; displayName: string }; tokens: { accessToken: string } }[];
}

const DEMO = '/api/v1/demo';

let app: TestApp;
beforeAll(async () => {
  app = await createTestApp({ DEMO_ENABLED: 'true' });
});
afterAll(() => app.close());

async function enter(id?: string): Promise<World> {
  const input = { deviceId: randomUUID(), ...(id === undefined ? {} : { id }) };
  const { status, body } = await new HttpClient(app.url).post<World>(`${DEMO}/world`, input);
  expect(status).toBe(200);
  return body;
}
const idOf = (world: World, i: number): string => world.people[i]?.user.id ?? '';
const adaOf = (world: World) => new HttpClient(app.url, world.people[0]?.tokens.accessToken);

/** Ada's direct conversation with Ben. */
async function conversationOf(world: World): Promise<string> {
  const input = { type: 'direct', memberIds: [idOf(world, 1)] };
  const { body } = await adaOf(world).post<{ id: string }>('/api/v1/conversations', input);
  return body.id;
}

it('a world has people of its own, and is entered again by its id', async () => {
  const [one, other] = [await enter(), await enter()];
  expect(one.created).toBe(true);
  const names = one.people.map(({ user }) => user.displayName);
  expect(names).toEqual(['Ada Lindqvist', 'Ben Okafor', 'Chloé Martin', 'Dev Patel']);
  expect(new Set([...one.people, ...other.people].map(({ user }) => user.id)).size).toBe(8);
  const again = await enter(one.id);
  expect(again.created).toBe(false);
  expect(again.people.map(({ user }) => user.id)).toEqual(one.people.map(({ user }) => user.id));
});

it('an unknown world is not found', async () => {
  const { status } = await new HttpClient(app.url).post(`${DEMO}/world`, { deviceId: randomUUID(), id: '0123456789' });
  expect(status).toBe(404);
});

it('messages look as old as asked, for members alone', async () => {
  const [world, stranger] = [await enter(), await enter()];
  const conversationId = await conversationOf(world);
  const path = `/api/v1/conversations/${conversationId}/messages`;
  const input = { clientId: randomUUID(), body: 'long ago' };
  const { body: sent } = await adaOf(world).post<{ message: { seq: number } }>(path, input);
  const history = { conversationId, ages: [[sent.message.seq, 86_400]] };
  expect((await adaOf(stranger).put(`${DEMO}/history`, history)).status).toBe(404);
  expect((await adaOf(world).put(`${DEMO}/history`, history)).status).toBe(204);
  const { body: page } = await adaOf(world).get<{ items: { seq: number; createdAt: string }[] }>(path);
  const message = page.items.find(({ seq }) => seq === sent.message.seq);
  expect(Date.now() - Date.parse(message?.createdAt ?? '')).toBeGreaterThan(86_300_000);
});

it('hints are lost while that is asked for', async () => {
  const world = await enter();
  const ada = adaOf(world);
  const before = await ada.put<{ hintsLost: number }>(`${DEMO}/chaos`, { loseHints: true });
  expect(before.body).toMatchObject({ loseHints: true });
  const path = `/api/v1/conversations/${await conversationOf(world)}/messages`;
  for (const body of ['one', 'two', 'three']) await ada.post(path, { clientId: randomUUID(), body });
  const after = await ada.put<{ hintsLost: number; loseHints: boolean }>(`${DEMO}/chaos`, { loseHints: false });
  expect(after.body.loseHints).toBe(false);
  expect(after.body.hintsLost).toBeGreaterThan(before.body.hintsLost);
});

it('nobody is killed whom nobody would start again', async () => {
  const { status, body } = await adaOf(await enter()).post(`${DEMO}/restart`, { signal: 'SIGKILL' });
  expect(status).toBe(409);
  expect(body['code']).toBe('invalid_state');
});

it('in production none of it exists, whatever is configured', async () => {
  const production = await createTestApp({ NODE_ENV: 'production', DEMO_ENABLED: 'true' });
  try {
    const world = await new HttpClient(production.url).post(`${DEMO}/world`, { deviceId: randomUUID() });
    expect(world.status).toBe(404);
    const ada = await register(production.url);
    const statuses = [
      await ada.get(`${DEMO}/chaos`),
      await ada.put(`${DEMO}/chaos`, { loseHints: true }),
      await ada.post(`${DEMO}/restart`, { signal: 'SIGKILL' }),
      await ada.put(`${DEMO}/history`, { conversationId: randomUUID(), ages: [] }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([404, 404, 404, 404]);
  } finally {
    await production.close();
  }
});
