import { Client } from 'pg';
import { direct, send } from '../integration/messages/support.js';
import { FakeProvider, SECRET, verified } from '../integration/notifications/fake-provider.js';
import { giveDevice, type PushData } from '../integration/notifications/support.js';
import { eventually, QueueWorld } from '../integration/queue/support.js';
import { query } from '../support/database.js';
import { type Person, register } from '../support/people.js';
import { type ServerProcess, startServerProcess } from '../support/server-process.js';

let world: QueueWorld;
let provider: FakeProvider;
let holder: Client | undefined;
beforeAll(async () => {
  provider = await FakeProvider.start();
  world = await QueueWorld.start({ PUSH_WEBHOOK_URL: provider.url, PUSH_WEBHOOK_SECRET: SECRET });
});
afterAll(async () => {
  await provider.close();
  await world.stop();
});
afterEach(() => release());

const rowsOf = <Row extends object>(sql: string, values: unknown[] = []) =>
  query<Row>(sql, values, world.app.databaseUrl);

/** Holds a table, so that the worker comes as far as there and no further. */
async function lock(table: string, mode: string): Promise<void> {
  holder = new Client({ connectionString: world.app.databaseUrl });
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query(`LOCK TABLE ${table} IN ${mode} MODE`);
}

async function release(): Promise<void> {
  world.sqs.set('none');
  world.sqs.onHeld = () => undefined;
  provider.reply = () => ({ status: 200 });
  await holder?.end();
  holder = undefined;
}

const someoneWaitsFor = (text: string) =>
  eventually(
    () =>
      rowsOf(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() AND query ILIKE $1`,
        [`%${text}%`],
      ),
    ({ length }) => length > 0,
  );

const ledger = (messageId: string) =>
  rowsOf<{ decision: string }>('SELECT decision FROM notification_decisions WHERE message_id = $1', [messageId]);
const sent = (messageId: string) =>
  eventually(
    () => ledger(messageId),
    ([row]) => row?.decision === 'sent',
  );

/** Where the worker is killed: what is prepared, and when it is there. `requests` is what the provider hears in all. */
interface Point {
  name: string;
  requests: number;
  prepare(): Promise<() => Promise<unknown>>;
}
/** For what begins when the provider was asked. */
const whenAsked = (begin: () => Promise<void> | void) => async () => {
  provider.reply = async () => {
    await begin();
    return { status: 200 };
  };
};
const deciding: Point = {
  name: 'deciding',
  requests: 1,
  prepare: async () => {
    await lock('notification_decisions', 'ACCESS EXCLUSIVE');
    return () => someoneWaitsFor('notification_decisions');
  },
};
const closing: Point = {
  name: 'closing the ledger row',
  requests: 2,
  prepare: async () => {
    await whenAsked(() => lock('notification_decisions', 'EXCLUSIVE'))();
    return () => someoneWaitsFor('UPDATE notification_decisions');
  },
};
let messageId = '';
/** The ledger is closed, and the queue was not told. */
const forgetting = (begin: () => Promise<void> | void): Point => ({
  name: 'telling the queue that it is done',
  requests: 1,
  prepare: async () => {
    await whenAsked(begin)();
    return () => sent(messageId);
  },
});
const adding: Record<'pgboss' | 'sqs', Point> = {
  pgboss: {
    name: 'adding the work',
    requests: 1,
    prepare: async () => {
      await lock('pgboss.job', 'SHARE');
      return () => someoneWaitsFor('INSERT INTO pgboss');
    },
  },
  sqs: {
    name: 'handing the work over, which arrived',
    requests: 1,
    prepare: async () => {
      const held = new Promise<void>((resolve) => (world.sqs.onHeld = () => resolve()));
      world.sqs.set('mute');
      return () => held;
    },
  },
};

describe.each([
  ['pgboss', [adding.pgboss, deciding, closing, forgetting(() => lock('pgboss.job', 'SHARE'))]],
  ['sqs', [adding.sqs, deciding, closing, forgetting(() => world.sqs.set('slow'))]],
] as const)('with the work in %s', (driver, points) => {
  let worker: ServerProcess;
  let ada: Person;
  const start = async (): Promise<void> => {
    worker = await startServerProcess({
      NODE_ENV: 'test',
      ROLE: 'worker',
      DATABASE_URL: world.app.databaseUrl,
      APP_SECRET: 'test-secret-test-secret-test-secret-test',
      LOG_LEVEL: 'warn',
      QUEUE_DRIVER: driver,
      NOTIFY_DELAY_MS: '0',
      PUSH_WEBHOOK_URL: provider.url,
      PUSH_WEBHOOK_SECRET: SECRET,
      ...world.sqs.environment,
    });
  };
  beforeAll(async () => {
    await start();
    ada = await register(world.app.url, 'Ada');
  });
  afterAll(() => worker.stop('SIGKILL'));

  it.each(points)(
    'killed while $name: at least one attempt, one ledger row, duplicates under one key',
    async (point) => {
      const bob = await register(world.app.url, 'Bob');
      await giveDevice(bob);
      const c = await direct(ada, bob);
      await eventually(
        () => rowsOf('SELECT FROM outbox'),
        ({ length }) => length === 0,
      );
      provider.received.length = 0;
      const reached = await point.prepare();
      ({ id: messageId } = await send(ada, c, { body: 'survives' }));
      await reached();
      await worker.stop('SIGKILL');
      // The server does not notice that a client is gone while it waits for a lock, and would go on with the statement.
      await rowsOf(
        `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      await release();
      // What the dead worker had taken is free again.
      await rowsOf('UPDATE outbox SET next_at = now()');
      await rowsOf(
        `UPDATE notification_decisions SET sent_at = sent_at - interval '1 minute' WHERE decision = 'pending'`,
      );
      for (const queue of ['notify.decide', 'notify.push']) await world.abandon(driver, queue);
      // The one that finishes it is the next to be killed.
      await start();

      await sent(messageId);
      await eventually(
        () => rowsOf('SELECT FROM outbox'),
        ({ length }) => length === 0,
      );
      expect(await ledger(messageId)).toEqual([{ decision: 'sent' }]);
      const requests = provider.received.map((request) => verified<PushData>(request));
      expect(requests).toHaveLength(point.requests);
      expect(new Set(requests.map(({ id }) => id)).size).toBe(1);
      expect(new Set(requests.map(({ data }) => data.collapseKey)).size).toBe(1);
    },
  );
});
