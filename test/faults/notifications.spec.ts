import { Client } from 'pg';
import { FakeProvider, SECRET, verified } from '../integration/notifications/fake-provider.js';
import { giveDevice, type PushData } from '../integration/notifications/support.js';
import { direct, send } from '../integration/messages/support.js';
import { cloneDatabase, query, type TestDatabase } from '../support/database.js';
import { register } from '../support/people.js';
import { type ServerProcess, startServerProcess } from '../support/server-process.js';

let database: TestDatabase;
let provider: FakeProvider;
let api: ServerProcess;
const running = new Set<ServerProcess>();

async function start(role: string): Promise<ServerProcess> {
  const server = await startServerProcess({
    NODE_ENV: 'test',
    ROLE: role,
    DATABASE_URL: database.url,
    APP_SECRET: 'test-secret-test-secret-test-secret-test',
    LOG_LEVEL: 'warn',
    NOTIFY_DELAY_MS: '0',
    PUSH_WEBHOOK_URL: provider.url,
    PUSH_WEBHOOK_SECRET: SECRET,
  });
  running.add(server);
  return server;
}

beforeAll(async () => {
  [database, provider] = [await cloneDatabase(), await FakeProvider.start()];
  api = await start('api');
});
afterAll(async () => {
  for (const server of running) await server.stop('SIGKILL');
  await provider.close();
  await database.drop();
});

/** Holds something in the database so that the worker comes as far as there and no further. */
interface Hold {
  sql: string;
  /** Taken before the work begins, or when the provider has been asked. */
  when: 'before' | 'asked';
  requests: number;
}
const steps: [name: string, hold: Hold | 'at the provider'][] = [
  ['expanding', { sql: 'LOCK TABLE memberships IN ACCESS EXCLUSIVE MODE', when: 'before', requests: 1 }],
  ['deciding', { sql: 'LOCK TABLE user_preferences IN ACCESS EXCLUSIVE MODE', when: 'before', requests: 1 }],
  ['entering the ledger', { sql: 'LOCK TABLE notification_decisions IN EXCLUSIVE MODE', when: 'before', requests: 1 }],
  ['beginning to send', { sql: 'LOCK TABLE push_devices IN ACCESS EXCLUSIVE MODE', when: 'before', requests: 1 }],
  ['asking the provider', 'at the provider'],
  [
    'closing the ledger row',
    { sql: 'LOCK TABLE notification_decisions IN EXCLUSIVE MODE', when: 'asked', requests: 2 },
  ],
];

it.each(steps)('killed while %s: at least one attempt, one ledger row, duplicates under one key', async (_, hold) => {
  const [ada, bob] = [await register(api.url, 'Ada'), await register(api.url, 'Bob')];
  await giveDevice(bob);
  const c = await direct(ada, bob);
  const message = await send(ada, c, 'survives');
  provider.received.length = 0;
  const holder = new Client({ connectionString: database.url });
  await holder.connect();
  await holder.query('BEGIN');
  const waiting = async () =>
    (
      await query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
        [],
        database.url,
      )
    )[0]?.n ?? 0;

  let asked = (): void => undefined;
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  provider.reply = async () => {
    if (hold !== 'at the provider' && hold.when === 'asked') await holder.query(hold.sql);
    asked();
    return hold === 'at the provider' ? undefined : { status: 200 };
  };
  if (hold !== 'at the provider' && hold.when === 'before') await holder.query(hold.sql);
  const first = await start('worker');
  if (hold === 'at the provider' || hold.when === 'asked') await isAsked;
  if (hold !== 'at the provider') while ((await waiting()) === 0) await new Promise((resolve) => setImmediate(resolve));
  await first.stop('SIGKILL');
  // The server does not notice that a client is gone while it waits for a lock, and would go on with the statement.
  await query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    [],
    database.url,
  );
  await holder.query('ROLLBACK');
  await holder.end();

  // What the dead worker had taken is free again.
  provider.reply = () => ({ status: 200 });
  await query(`UPDATE outbox SET next_at = now()`, [], database.url);
  await query(
    `UPDATE notification_decisions SET sent_at = sent_at - interval '1 minute' WHERE decision = 'pending'`,
    [],
    database.url,
  );
  const second = await start('worker');
  const ledger = () =>
    query<{ decision: string; attempts: string }>(
      'SELECT decision, attempts FROM notification_decisions WHERE message_id = $1',
      [message.id],
      database.url,
    );
  for (let rows = await ledger(); rows[0]?.decision !== 'sent'; rows = await ledger())
    await new Promise((resolve) => setTimeout(resolve, 20));
  const left = () => query('SELECT FROM outbox', [], database.url);
  while ((await left()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await second.stop();

  expect(await ledger()).toHaveLength(1);
  const requests = provider.received.map((request) => verified<PushData>(request));
  expect(requests).toHaveLength(hold === 'at the provider' ? 2 : hold.requests);
  expect(new Set(requests.map(({ id }) => id)).size).toBe(1);
  expect(new Set(requests.map(({ data }) => data.collapseKey)).size).toBe(1);
});
