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
const holders = new Set<Client>();

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

afterEach(async () => {
  for (const holder of holders) await holder.end();
  holders.clear();
});

/** Holds something in the database so that the worker comes as far as there and no further. */
interface Hold {
  table: string;
  /** In the text of the statement that is to be held up. */
  text: string;
  mode: string;
  /** Taken before the work begins, or when the provider has been asked. */
  when: 'before' | 'asked';
  /** How often the provider may have been asked. */
  requests: readonly number[];
}
const before = (table: string, more: Partial<Hold> = {}): Hold => ({
  table,
  text: table,
  mode: 'ACCESS EXCLUSIVE',
  when: 'before',
  requests: [1],
  ...more,
});
const steps: [name: string, hold: Hold | 'at the provider'][] = [
  ['asking whom it could concern', before('memberships', { text: 'active_members' })],
  ['leaving the outbox, with its work added', before('webhook_endpoints', { text: 'ORDER BY e.id' })],
  [
    'listing a mention',
    // The push goes beside it, and may have left without a word of it in the ledger.
    before('notifications', { text: 'INSERT INTO notifications', mode: 'EXCLUSIVE', requests: [1, 2] }),
  ],
  ['deciding', before('user_preferences')],
  ['entering the ledger', before('notification_decisions', { mode: 'EXCLUSIVE' })],
  ['putting the push together', before('conversation_head')],
  ['asking the provider', 'at the provider'],
  ['closing the ledger row', before('notification_decisions', { mode: 'EXCLUSIVE', when: 'asked', requests: [2] })],
];

it.each(steps)('killed while %s: at least one attempt, one ledger row, duplicates under one key', async (_, hold) => {
  const [ada, bob] = [await register(api.url, 'Ada'), await register(api.url, 'Bob')];
  await giveDevice(bob);
  const c = await direct(ada, bob);
  const message = await send(ada, c, { body: 'survives', mentions: [bob.id] });
  provider.received.length = 0;
  const holder = new Client({ connectionString: database.url });
  holders.add(holder);
  await holder.connect();
  await holder.query('BEGIN');
  const take = ({ table, mode }: Hold) => holder.query(`LOCK TABLE ${table} IN ${mode} MODE`);
  /** Statements that are held up. */
  const waiting = async () =>
    query(
      `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE $1`,
      [`%${hold === 'at the provider' ? '' : hold.text}%`],
      database.url,
    );

  let asked = (): void => undefined;
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  provider.reply = async () => {
    if (hold !== 'at the provider' && hold.when === 'asked') await take(hold);
    asked();
    return hold === 'at the provider' ? undefined : { status: 200 };
  };
  // A worker boots through these tables, so the work begins when it is there and the hold is taken.
  await query(`UPDATE outbox SET next_at = now() + interval '1 hour'`, [], database.url);
  const first = await start('worker');
  if (hold !== 'at the provider' && hold.when === 'before') await take(hold);
  await query(`UPDATE outbox SET next_at = now()`, [], database.url);
  if (hold === 'at the provider' || hold.when === 'asked') await isAsked;
  if (hold !== 'at the provider')
    while ((await waiting()).length === 0) await new Promise((resolve) => setImmediate(resolve));
  await first.stop('SIGKILL');
  // The server does not notice that a client is gone while it waits for a lock, and would go on with the statement.
  await query(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    [],
    database.url,
  );
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
  const listed = await bob.get<{ items: { kind: string }[] }>('/api/v1/notifications');
  expect(listed.body.items.map(({ kind }) => kind)).toEqual(['mention']);
  const requests = provider.received.map((request) => verified<PushData>(request));
  expect(hold === 'at the provider' ? [2] : hold.requests).toContain(requests.length);
  expect(new Set(requests.map(({ id }) => id)).size).toBe(1);
  expect(new Set(requests.map(({ data }) => data.collapseKey)).size).toBe(1);
});
