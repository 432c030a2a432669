import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Parley } from '../../client/src/index.js';
import { full } from '../lifecycle/support/world.js';
import { Balancer } from '../support/balancer.js';
import { cloneDatabase, query, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { register } from '../support/people.js';
import { type ServerProcess, startServerProcess } from '../support/server-process.js';

/** Row F41 of the fault matrix: every replica is replaced in turn, under load, with many sockets open. */
const REPLICAS = 3;
const SENDERS = 10;
const LISTENERS = full ? 1_000 : 120;

let database: TestDatabase;
let balancer: Balancer;
const replicas: ServerProcess[] = [];
const senders: Parley[] = [];
const listeners: Parley[] = [];

const start = () =>
  startServerProcess({
    DATABASE_URL: database.url,
    APP_SECRET: 'faults-secret-faults-secret-faults-secret',
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    MAX_SOCKETS_PER_USER: '2000',
    // Longer than the balancer takes to notice, as in production.
    DRAIN_WAIT_MS: '1000',
  });

/** One account, many devices: what counts here are sockets. */
async function enter(owner: Awaited<ReturnType<typeof register>>): Promise<Parley> {
  const device = { deviceId: randomUUID(), platform: 'bot' } as const;
  const parley = await Parley.login(balancer.url, { identifier: owner.identifier, password: owner.password, device });
  await parley.connect();
  return parley;
}

async function inTurns(count: number, work: () => Promise<void>): Promise<void> {
  let left = count;
  const one = async (): Promise<void> => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: 10 }, one));
}

beforeAll(async () => {
  database = await cloneDatabase();
  replicas.push(...(await Promise.all(Array.from({ length: REPLICAS }, start))));
  balancer = await Balancer.start(() => replicas.map(({ url }) => url));
  const owners = await Promise.all(Array.from({ length: SENDERS }, () => register(balancer.url)));
  for (const owner of owners) senders.push(await enter(owner));
  const [first] = owners;
  if (!first) throw new Error('nobody registered');
  await inTurns(LISTENERS, async () => void listeners.push(await enter(first)));
});
afterAll(async () => {
  for (const parley of [...senders, ...listeners]) parley.close();
  await Promise.all(replicas.map((replica) => replica.stop('SIGKILL')));
  await balancer.stop();
  await database.drop();
});

it('every replica is replaced: no acknowledged message is lost, nobody meets anything but success or 503, all come back', async () => {
  const [host] = senders;
  if (!host) throw new Error('nobody sends');
  const { id } = await host.api.createConversation({
    type: 'group',
    title: 'Rolling',
    memberIds: senders.slice(1).map(({ userId }) => userId),
  });
  const acknowledged: string[] = [];
  const refusals: unknown[] = [];
  let going = true;

  const sending = senders.map(async (parley) => {
    // A thousand devices hear of it and ask for it at once, beside whatever else the machine does.
    await eventually(async () => {
      expect(parley.conversation(id)).toBeDefined();
      await Promise.resolve();
    }, 90_000);
    while (going) {
      const body = randomUUID();
      // The SDK repeats until there is a final answer; anything but success would be one.
      await parley
        .conversation(id)
        ?.send(body)
        .then(
          () => acknowledged.push(body),
          (error: unknown) => refusals.push(error),
        );
      await delay(20);
    }
  });
  const asking = (async () => {
    while (going) {
      const answer = await fetch(`${balancer.url}/api/v1/users/me`, {
        headers: { authorization: `Bearer ${host.tokens?.accessToken}`, connection: 'close' },
      }).catch(() => undefined);
      // A connection that is cut is the balancer's, in the moment between a stop and its next probe.
      if (answer && answer.status !== 200 && !(answer.status === 503 && answer.headers.has('retry-after'))) {
        refusals.push(`GET answered ${answer.status}`);
      }
      await delay(20);
    }
  })();

  for (const [i, old] of replicas.entries()) {
    expect(await old.stop('SIGTERM')).toBe(0);
    replicas[i] = await start();
  }
  await eventually(async () => {
    expect([...senders, ...listeners].filter(({ status }) => status !== 'online')).toHaveLength(0);
    await Promise.resolve();
  }, 90_000);
  going = false;
  await Promise.all([...sending, asking]);

  expect(refusals).toEqual([]);
  expect(acknowledged.length).toBeGreaterThan(SENDERS);
  const rows = await query<{ body: string }>(
    'SELECT body FROM messages WHERE conversation_id = $1 AND client_id IS NOT NULL',
    [id],
    database.url,
  );
  const stored = rows.map(({ body }) => body);
  expect(new Set(stored).size).toBe(stored.length);
  expect(acknowledged.filter((body) => !stored.includes(body))).toEqual([]);
  // And each device that listens has them too.
  const [head] = await query<{ rev: string }>(
    'SELECT rev FROM conversation_head WHERE conversation_id = $1',
    [id],
    database.url,
  );
  await eventually(async () => {
    for (const parley of senders.slice(1)) {
      const seen = parley.conversation(id)?.view.timeline.filter(({ state }) => state === 'sent') ?? [];
      expect(new Set(seen.map(({ seq }) => seq)).size).toBe(seen.length);
      expect(seen.at(-1)?.rev).toBe(Number(head?.rev));
    }
    await Promise.resolve();
  });
});
