import { createTestApp, type TestApp } from '../../support/app.js';
import { connect, type Connection, type Person, register } from '../../support/people.js';

type Tuple = [userId: string, state: string, lastSeen: string | null, ver: number];

// Leases and graces are short, so that whatever waits for one is over soon; nothing below measures time.
const environment = { PRESENCE_LEASE_TTL: '2', PRESENCE_GRACE: '1', PRESENCE_STALE_AFTER: '1' };
let here: TestApp;
let there: TestApp;
let open: Connection[] = [];
beforeAll(async () => {
  here = await createTestApp(environment);
  there = await createTestApp(environment, { databaseUrl: here.databaseUrl });
});
afterAll(async () => {
  await there.close();
  await here.close();
});
afterEach(() => {
  for (const connection of open) connection.close();
  open = [];
});

async function online(person: Person, at: TestApp = here): Promise<Connection> {
  const connection = await connect({ ...person, url: at.url });
  open.push(connection);
  return connection;
}

/** Two people in one group, so that each may see the other. */
async function acquaintances(): Promise<[Person, Person, conversationId: string]> {
  const [ada, ben] = [await register(here.url, 'Ada'), await register(here.url, 'Ben')];
  const { body } = await ada.post<{ id: string }>('/api/v1/conversations', {
    type: 'group',
    title: 'Two',
    memberIds: [ben.id],
  });
  return [ada, ben, body.id];
}

const watch = async (connection: Connection, ...userIds: string[]): Promise<Tuple[]> => {
  const ack = await connection.emit<{ states: Tuple[] }>('presence.watch', { userIds });
  if (!ack.ok) throw new Error(ack.error.code);
  return ack.data.states;
};
const told = async (connection: Connection, userId: string, state: string): Promise<Tuple> => {
  const tuples = await connection.until<Tuple[]>('presence', (list) =>
    list.some((tuple) => tuple[0] === userId && tuple[1] === state),
  );
  return tuples.find((tuple) => tuple[0] === userId) as Tuple;
};
const stateOf = async (viewer: Person, userId: string) => {
  const { body } = await viewer.get<{
    items: { state: string; isOnline: boolean; lastSeen: string | null; ver: number }[];
  }>(`/api/v1/presence?ids=${userId}`);
  return body.items[0];
};
/** Asks until the answer is this. */
async function becomes(viewer: Person, userId: string, state: string) {
  for (;;) {
    const item = await stateOf(viewer, userId);
    if (item?.state === state) return item;
  }
}

describe('who is online', () => {
  it('is told to those who watch, on every replica, each time with a higher version', async () => {
    const [ada, ben] = await acquaintances();
    const watcher = await online(ada, there);
    expect(await watch(watcher, ben.id)).toEqual([[ben.id, 'offline', null, 0]]);
    const socket = await online(ben, here);
    const [, , , first] = await told(watcher, ben.id, 'active');
    expect(first).toBeGreaterThan(0);
    expect(await stateOf(ada, ben.id)).toMatchObject({ state: 'active', isOnline: true });
    expect((await ada.get(`/api/v1/users/${ben.id}`)).body).toMatchObject({ isOnline: true });
    await ben.post('/api/v1/auth/logout');
    await socket.until('session.revoked');
    const [, , lastSeen, second] = await told(watcher, ben.id, 'offline');
    expect(second).toBeGreaterThan(first);
    expect(lastSeen).toEqual(expect.any(String));
    expect((await ada.get(`/api/v1/users/${ben.id}`)).body).toMatchObject({ isOnline: false, lastSeen });
  });

  it('is somebody with a socket anywhere: the last one counts', async () => {
    const [ada, ben] = await acquaintances();
    const [one] = [await online(ben, here), await online(ben, there)];
    await becomes(ada, ben.id, 'active');
    one.close();
    const second = await online(ben, here);
    second.close();
    await online(ben, here);
    expect(await stateOf(ada, ben.id)).toMatchObject({ state: 'active' });
  });

  it('still is for a moment after the connection broke, and is not told at all when it comes back', async () => {
    const [ada, ben] = await acquaintances();
    const first = await online(ben);
    await becomes(ada, ben.id, 'active');
    const watcher = await online(ada);
    await watch(watcher, ben.id);
    first.socket.io.engine.close();
    expect(await stateOf(ada, ben.id)).toMatchObject({ state: 'active' });
    const second = await online(ben);
    second.close();
    const tuple = await told(watcher, ben.id, 'offline');
    expect(watcher.events.filter(({ event }) => event === 'presence')).toHaveLength(1);
    expect(tuple[2]).toEqual(expect.any(String));
  });

  it('ends by itself when a broken connection does not come back', async () => {
    const [ada, ben] = await acquaintances();
    const first = await online(ben);
    await becomes(ada, ben.id, 'active');
    const watcher = await online(ada);
    await watch(watcher, ben.id);
    first.socket.io.engine.close();
    await told(watcher, ben.id, 'offline');
  });
});

describe('what a user shows', () => {
  it('combines devices: dnd over active over idle', async () => {
    const [ada, ben] = await acquaintances();
    const [phone, laptop] = [await online(ben, here), await online(ben, there)];
    await phone.emit('presence.activity', { state: 'idle' });
    await laptop.emit('presence.activity', { state: 'idle' });
    await becomes(ada, ben.id, 'idle');
    await laptop.emit('presence.activity', { state: 'active' });
    await becomes(ada, ben.id, 'active');
    await phone.emit('presence.activity', { state: 'dnd' });
    await becomes(ada, ben.id, 'dnd');
  });

  it('is dnd or nothing on request', async () => {
    const [ada, ben] = await acquaintances();
    await online(ben);
    const { ver } = await becomes(ada, ben.id, 'active');
    const watcher = await online(ada);
    await watch(watcher, ben.id);
    expect((await ben.put('/api/v1/presence/me', { mode: 'dnd' })).status).toBe(204);
    expect((await stateOf(ada, ben.id))?.state).toBe('dnd');
    await ben.put('/api/v1/presence/me', { mode: 'invisible' });
    expect(await stateOf(ada, ben.id)).toEqual({
      userId: ben.id,
      state: 'offline',
      isOnline: false,
      lastSeen: null,
      ver: 0,
    });
    const [, , lastSeen, hiddenVer] = await told(watcher, ben.id, 'offline');
    expect(lastSeen).toBeNull();
    expect(hiddenVer).toBeGreaterThanOrEqual(ver);
    await ben.put('/api/v1/presence/me', { mode: 'auto' });
    expect((await stateOf(ada, ben.id))?.state).toBe('active');
  });

  it('who chooses not to be seen is gone at once, not with the next change that may be told', async () => {
    const people = await Promise.all(['Ada', 'Ben', 'Dan'].map((name) => register(here.url, name)));
    const [ada, ben, dan] = people as [Person, Person, Person];
    const memberIds = [ben.id, dan.id];
    await ada.post('/api/v1/conversations', { type: 'group', title: 'Three', memberIds });
    const watcher = await online(ada);
    await watch(watcher, ...memberIds);
    for (const person of [dan, ben]) {
      await online(person);
      await told(watcher, person.id, 'active');
    }
    // Dan has moved longer ago, so his next change may be told first.
    await ben.put('/api/v1/presence/me', { mode: 'invisible' });
    await dan.put('/api/v1/presence/me', { mode: 'dnd' });
    await told(watcher, dan.id, 'dnd');
    const seen = watcher.events
      .filter(({ event }) => event === 'presence')
      .flatMap(({ payload }) => payload as Tuple[]);
    expect(seen.slice(-2).map(([id, state]) => [id, state])).toEqual([
      [ben.id, 'offline'],
      [dan.id, 'dnd'],
    ]);
  });

  it('refuses other modes and activities, and more than 200 ids', async () => {
    const ada = await register(here.url);
    const socket = await online(ada);
    expect((await ada.put('/api/v1/presence/me', { mode: 'away' })).status).toBe(400);
    expect(await socket.emit('presence.activity', { state: 'offline' })).toMatchObject({
      ok: false,
      error: { code: 'validation_failed' },
    });
    const ids = Array.from({ length: 201 }, () => ada.id);
    expect((await ada.get(`/api/v1/presence?ids=${ids.join(',')}`)).status).toBe(400);
    expect(await socket.emit('presence.watch', { userIds: ids })).toMatchObject({ ok: false });
  });
});

describe('privacy', () => {
  const privacy = async (person: Person, presence: string) => {
    const { body } = await person.get<{ notifications: object; privacy: object }>('/api/v1/users/me/preferences');
    await person.put(
      '/api/v1/users/me/preferences',
      { ...body, privacy: { ...body.privacy, presence } },
      { 'if-match': '*' },
    );
  };

  it('shows strangers nothing, contacts what they were trusted with', async () => {
    const [ada, ben] = [await register(here.url), await register(here.url)];
    await online(ben);
    await becomes(ben, ben.id, 'active');
    expect((await stateOf(ada, ben.id))?.state).toBe('offline');
    await ada.put(`/api/v1/users/me/contacts/${ben.id}`);
    expect((await stateOf(ada, ben.id))?.state).toBe('offline');
    await ben.put(`/api/v1/users/me/contacts/${ada.id}`);
    expect((await stateOf(ada, ben.id))?.state).toBe('active');
  });

  it('everyone means everyone; who chooses nobody sees nobody', async () => {
    const [ada, ben] = [await register(here.url), await register(here.url)];
    await online(ben);
    await privacy(ben, 'everyone');
    await becomes(ada, ben.id, 'active');
    await privacy(ada, 'nobody');
    expect((await stateOf(ada, ben.id))?.state).toBe('offline');
  });

  it('a block hides at once, also from those who watch, both ways', async () => {
    const [ada, ben] = await acquaintances();
    const [mine, theirs] = [await online(ada, here), await online(ben, there)];
    await becomes(ada, ben.id, 'active');
    await becomes(ben, ada.id, 'active');
    expect(await watch(mine, ben.id)).toEqual([[ben.id, 'active', expect.any(String), expect.any(Number)]]);
    expect(await watch(theirs, ada.id)).toEqual([[ada.id, 'active', expect.any(String), expect.any(Number)]]);
    await ada.put(`/api/v1/users/me/blocks/${ben.id}`);
    expect((await told(mine, ben.id, 'offline'))[2]).toBeNull();
    expect((await told(theirs, ada.id, 'offline'))[2]).toBeNull();
    expect(await stateOf(ben, ada.id)).toMatchObject({ isOnline: false, lastSeen: null });
  });

  it('rooms offer a count of those the caller may see', async () => {
    const [ada, ben, conversationId] = await acquaintances();
    await Promise.all([online(ada), online(ben)]);
    await becomes(ada, ben.id, 'active');
    await becomes(ben, ada.id, 'active');
    const count = () => ada.get(`/api/v1/conversations/${conversationId}/presence`);
    expect((await count()).body).toEqual({ online: 2, total: 2 });
    await privacy(ben, 'nobody');
    expect((await count()).body).toEqual({ online: 1, total: 2 });
    const stranger = await register(here.url);
    expect((await stranger.get(`/api/v1/conversations/${conversationId}/presence`)).status).toBe(404);
  });
});
