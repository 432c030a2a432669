import { eventually } from '../support/eventually.js';
import { connect, register } from '../support/people.js';
import { startServerProcess, type ServerProcess, untilReady } from '../support/server-process.js';
import { poolerInstalled, startPooler, type Pooler } from './support/pgbouncer.js';
import { throughProxy } from './support/proxy.js';
import { DURABILITY_OFF, World, type Scene } from './support/world.js';

/** What an operator, or another product on the same server, may have set for this role and database. */
const HOSTILE = {
  timezone: `'Pacific/Auckland'`,
  search_path: 'elsewhere',
  datestyle: `'SQL, DMY'`,
  intervalstyle: 'sql_standard',
};

const SECRET = 'pooler-secret-pooler-secret-pooler-secret';

let world: World;
let scene: Scene;
beforeAll(async () => {
  world = await World.start(DURABILITY_OFF);
});
afterAll(() => world.stop());
beforeEach(async () => {
  scene = await world.database();
  for (const [name, value] of Object.entries(HOSTILE)) {
    await scene.sql(`ALTER DATABASE ${scene.name} SET ${name} = ${value}`);
    await scene.sql(`ALTER ROLE parley IN DATABASE ${scene.name} SET ${name} = ${value}`);
  }
});

/** Two people talk, and what they read back has the instants at which it happened. */
async function talk(server: ServerProcess): Promise<void> {
  const [ada, ben] = [await register(server.url, 'Ada'), await register(server.url, 'Ben')];
  const { body } = await ada.post<{ id: string }>('/api/v1/conversations', { type: 'direct', memberIds: [ben.id] });
  const connection = await connect(ada);
  for (let i = 0; i < 5; i++) {
    const clientId = crypto.randomUUID();
    expect(await connection.emit('message.send', { c: body.id, clientId, body: `${i}` })).toMatchObject({ ok: true });
  }
  connection.close();
  const history = await ben.get<{ items: { createdAt: string }[] }>(`/api/v1/conversations/${body.id}/messages`);
  expect(history.body.items).toHaveLength(5);
  for (const { createdAt } of history.body.items) {
    const age = Date.now() - Date.parse(createdAt);
    expect(Math.abs(age)).toBeLessThan(300_000);
  }
}

async function serve(environment: Record<string, string>): Promise<void> {
  const server = await startServerProcess({
    APP_SECRET: SECRET,
    NODE_ENV: 'test',
    ...environment,
  });
  try {
    await talk(server);
    expect(await server.stop()).toBe(0);
  } finally {
    await server.stop('SIGKILL');
  }
}

it('settings of the role and the database do not reach the application', async () => {
  await serve({ DATABASE_URL: scene.url });
});

if (!poolerInstalled()) {
  it('PgBouncer is not installed here: its cases run where it is', () => {
    expect(poolerInstalled()).toBe(false);
  });
} else {
  describe('behind PgBouncer, one server connection for each transaction', () => {
    let pooler: Pooler;
    beforeEach(async () => {
      // It cannot be set from outside there; a case of its own shows what happens.
      await scene.sql(`ALTER ROLE parley IN DATABASE ${scene.name} RESET search_path`);
      await scene.sql(`ALTER DATABASE ${scene.name} RESET search_path`);
      pooler = await startPooler(scene.url, 'transaction');
    });
    afterEach(() => pooler.stop());

    it('with a direct connection for the lifecycle', async () => {
      await serve({ DATABASE_URL: throughProxy(scene.url, pooler), DATABASE_DIRECT_URL: scene.url });
    });
    it('F26 restarted under the running application: 503 meanwhile, same process and socket, nothing acknowledged is lost', async () => {
      const server = await startServerProcess({
        APP_SECRET: SECRET,
        NODE_ENV: 'test',
        DATABASE_URL: throughProxy(scene.url, pooler),
      });
      try {
        const ada = await register(server.url, 'Ada');
        const { body } = await ada.post<{ id: string }>('/api/v1/conversations', {
          type: 'group',
          title: 'Pooled',
          memberIds: [],
        });
        const connection = await connect(ada);
        const acknowledged: string[] = [];
        const codes = new Set<string>();
        const send = async (clientId: string): Promise<boolean> => {
          const ack = await connection.emit('message.send', { c: body.id, clientId, body: clientId });
          if (ack.ok) acknowledged.push(clientId);
          else codes.add(ack.error.code);
          return ack.ok;
        };
        for (let round = 0; round < 3; round++) {
          expect(await send(crypto.randomUUID())).toBe(true);
          await pooler.kill();
          const unlucky = crypto.randomUUID();
          expect(await send(unlucky)).toBe(false);
          await pooler.start();
          // The same clientId, as a client does it.
          await eventually(async () => expect(await send(unlucky)).toBe(true));
        }
        expect([...codes]).toEqual(['database_unavailable']);
        await untilReady(server);
        expect(server.child.exitCode).toBeNull();
        expect(connection.socket.connected).toBe(true);
        const stored = await scene.sql<{ id: string }>(
          'SELECT client_id::text AS id FROM messages WHERE client_id IS NOT NULL ORDER BY seq',
        );
        expect(stored.map(({ id }) => id)).toEqual(acknowledged);
        connection.close();
      } finally {
        await server.stop();
      }
    });
    it('with nothing else', async () => {
      await serve({ DATABASE_URL: throughProxy(scene.url, pooler) });
    });
    it('a search_path that hides the schema ends the boot with 18 and the statement that mends it', async () => {
      await scene.sql(`ALTER ROLE parley IN DATABASE ${scene.name} SET search_path = elsewhere`);
      const server = await startServerProcess(
        {
          DATABASE_URL: throughProxy(scene.url, pooler),
          DATABASE_DIRECT_URL: scene.url,
          APP_SECRET: SECRET,
          NODE_ENV: 'test',
        },
        { waitUntilReady: false },
      );
      expect(await server.exited).toBe(18);
      expect(server.output()).toContain(
        `ALTER ROLE parley IN DATABASE ${scene.name} SET search_path = \\"public\\", public`,
      );
    });
  });
}
