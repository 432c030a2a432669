import { cloneDatabase, query, type TestDatabase } from '../support/database.js';
import { connect, type Connection, type Person, register } from '../support/people.js';
import { type ServerProcess, startServerProcess } from '../support/server-process.js';

type Tuple = [userId: string, state: string, lastSeen: string | null, ver: number];

// Nothing below measures time: a ghost must end by itself, and before the marks are cleaned up.
const LEASE_TTL = '3';
let database: TestDatabase;
let survivor: ServerProcess;
let victim: ServerProcess;

const start = (): Promise<ServerProcess> =>
  startServerProcess({
    NODE_ENV: 'test',
    DATABASE_URL: database.url,
    APP_SECRET: 'test-secret-test-secret-test-secret-test',
    PRESENCE_LEASE_TTL: LEASE_TTL,
    PRESENCE_GRACE: '2',
    LOG_LEVEL: 'warn',
  });

beforeAll(async () => {
  database = await cloneDatabase();
  survivor = await start();
});
beforeEach(async () => {
  victim = await start();
});
afterEach(async () => {
  victim.child.kill('SIGCONT');
  await victim.stop('SIGKILL');
});
afterAll(async () => {
  await survivor.stop();
  await database.drop();
});

async function acquaintances(): Promise<[Person, Person]> {
  const [ada, ben] = [await register(survivor.url, 'Ada'), await register(survivor.url, 'Ben')];
  await ada.put(`/api/v1/users/me/contacts/${ben.id}`);
  await ben.put(`/api/v1/users/me/contacts/${ada.id}`);
  return [ada, ben];
}

const told = (connection: Connection, userId: string, state: string, after = 0) =>
  connection.until<Tuple[]>('presence', (list) => list.some((t) => t[0] === userId && t[1] === state && t[3] >= after));

async function becomes(viewer: Person, userId: string, state: string): Promise<void> {
  for (;;) {
    const { body } = await viewer.get<{ items: { state: string }[] }>(`/api/v1/presence?ids=${userId}`);
    if (body.items[0]?.state === state) return;
  }
}

const entriesOf = (userId: string) =>
  query<{ replica_id: string }>(`SELECT replica_id FROM presence_entries WHERE user_id = $1`, [userId], database.url);

it('a user of a killed replica goes offline by the lapse of its lease, with nobody cleaning up', async () => {
  const [ada, ben] = await acquaintances();
  const watcher = await connect(ada);
  await connect({ ...ben, url: victim.url });
  await becomes(ada, ben.id, 'active');
  await watcher.emit('presence.watch', { userIds: [ben.id] });
  await victim.stop('SIGKILL');
  await told(watcher, ben.id, 'offline');
  // What the dead one wrote is still there: it means nothing without a live lease.
  expect(await entriesOf(ben.id)).toHaveLength(1);
  await becomes(ada, ben.id, 'offline');
  watcher.close();
});

it('who reconnects elsewhere after a kill is never told to be offline', async () => {
  const [ada, ben] = await acquaintances();
  const watcher = await connect(ada);
  await connect({ ...ben, url: victim.url });
  await becomes(ada, ben.id, 'active');
  await watcher.emit('presence.watch', { userIds: [ben.id] });
  await victim.stop('SIGKILL');
  const again = await connect(ben);
  const leases = () => query(`SELECT 1 FROM replica_lease WHERE expires_at > now()`, [], database.url);
  while ((await leases()).length > 1) await new Promise((resolve) => setTimeout(resolve, 50));
  await becomes(ada, ben.id, 'active');
  again.close();
  await told(watcher, ben.id, 'offline');
  expect(watcher.events.filter(({ event }) => event === 'presence')).toHaveLength(1);
  watcher.close();
});

it('users of a frozen replica go offline; when it wakes up, its users are back without reconnecting', async () => {
  const [ada, ben] = await acquaintances();
  const watcher = await connect(ada);
  const socket = await connect({ ...ben, url: victim.url });
  await becomes(ada, ben.id, 'active');
  await watcher.emit('presence.watch', { userIds: [ben.id] });
  victim.child.kill('SIGSTOP');
  await told(watcher, ben.id, 'offline');
  victim.child.kill('SIGCONT');
  await becomes(ada, ben.id, 'active');
  expect(socket.socket.connected).toBe(true);
  await told(watcher, ben.id, 'active');
  socket.close();
  watcher.close();
});

it('a replica that stops in order leaves its users online while they move to another one', async () => {
  const [ada, ben] = await acquaintances();
  const watcher = await connect(ada);
  await connect({ ...ben, url: victim.url });
  await becomes(ada, ben.id, 'active');
  await watcher.emit('presence.watch', { userIds: [ben.id] });
  await victim.stop('SIGTERM');
  expect((await ada.get<{ isOnline: boolean }>(`/api/v1/users/${ben.id}`)).body.isOnline).toBe(true);
  const again = await connect(ben);
  await becomes(ada, ben.id, 'active');
  again.close();
  await told(watcher, ben.id, 'offline');
  expect(watcher.events.filter(({ event }) => event === 'presence')).toHaveLength(1);
  watcher.close();
});
