import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cloneDatabase, query, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { type Person, registerMany } from '../support/people.js';
import { root, type ServerProcess, startServerProcess, untilReady } from '../support/server-process.js';

const run = promisify(execFile);
const EACH = 60;
let database: TestDatabase;
const running = new Set<ServerProcess>();

async function start(role: string): Promise<ServerProcess> {
  const server = await startServerProcess({
    NODE_ENV: 'test',
    ROLE: role,
    DATABASE_URL: database.url,
    APP_SECRET: 'test-secret-test-secret-test-secret-test',
    // Only a statement that meets a missing table makes it look at the schema.
    SCHEMA_GUARD_INTERVAL_MS: '3600000',
    LOG_LEVEL: 'warn',
  });
  running.add(server);
  return server;
}

beforeAll(async () => void (database = await cloneDatabase()));
afterAll(async () => {
  for (const server of running) await server.stop('SIGKILL');
  await database.drop();
});

const count = async (sql: string): Promise<number> => {
  const [row] = await query<{ n: number }>(`SELECT count(*)::int AS n FROM ${sql}`, [], database.url);
  return row?.n ?? 0;
};
const sent = () => count(`scheduled_messages WHERE state = 'sent'`);
/** Polls the table: what is awaited happens in processes that are about to be killed. */
const until = async (enough: number): Promise<void> => {
  while ((await sent()) < enough) await new Promise((resolve) => setImmediate(resolve));
};

it('are each sent once while dispatchers are killed and frozen in the middle of it', async () => {
  const api = await start('api');
  const people = await registerMany(api.url, 4);
  const [ada] = people as [Person];
  const created = await ada.post<{ id: string }>('/api/v1/conversations', {
    type: 'group',
    title: 'Later',
    memberIds: people.slice(1).map(({ id }) => id),
  });
  const sendAt = new Date(Date.now() + 3_600_000).toISOString();
  for (const person of people) {
    const made = await Promise.all(
      Array.from({ length: EACH }, (_, i) =>
        person.post('/api/v1/scheduled-messages', {
          conversationId: created.body.id,
          clientId: randomUUID(),
          body: `${person.id} ${i}`,
          sendAt,
        }),
      ),
    );
    for (const { status } of made) expect(status).toBe(201);
  }
  let all = people.length * EACH;
  const [first, second] = [await start('worker'), await start('worker')];
  await query(`UPDATE scheduled_messages SET send_at = now() - interval '1 minute'`, [], database.url);
  await until(10);
  await first.stop('SIGKILL');
  await until(40);
  second.child.kill('SIGSTOP');
  expect(await sent()).toBeLessThan(all);
  const third = await start('worker');
  // Also the row that the frozen one holds: its transaction is ended by the database.
  await until(all);
  await third.stop('SIGKILL');
  second.child.kill('SIGCONT');
  // Awake again and alone, it goes on with what is due now, and leaves alone what others did meanwhile.
  const last = await ada.post('/api/v1/scheduled-messages', {
    conversationId: created.body.id,
    clientId: randomUUID(),
    body: 'the last',
    sendAt,
  });
  expect(last.status).toBe(201);
  await query(`UPDATE scheduled_messages SET send_at = now() WHERE state = 'pending'`, [], database.url);
  all += 1;
  await until(all);

  expect(await count('messages WHERE sender_id IS NOT NULL')).toBe(all);
  expect(await count('(SELECT DISTINCT body FROM messages WHERE sender_id IS NOT NULL) AS bodies')).toBe(all);
  expect(await count('scheduled_messages s JOIN messages m ON m.id = s.message_id AND m.client_id = s.client_id')).toBe(
    all,
  );
  const [numbers] = await query<{ seq: string; last: string; n: string }>(
    'SELECT h.seq, (SELECT max(seq) FROM messages) AS last, (SELECT count(*) FROM messages) AS n FROM conversation_head h',
    [],
    database.url,
  );
  expect([numbers?.last, numbers?.n]).toEqual([numbers?.seq, numbers?.seq]);
});

it('lose their table while the job runs: it says so, the process stays, and sends what comes after the repair', async () => {
  const [api, worker] = [await start('api'), await start('worker')];
  const [ada, bob] = (await registerMany(api.url, 2)) as [Person, Person];
  const { body: conversation } = await ada.post<{ id: string }>('/api/v1/conversations', {
    type: 'direct',
    memberIds: [bob.id],
  });
  const schedule = () =>
    ada.post('/api/v1/scheduled-messages', {
      conversationId: conversation.id,
      clientId: randomUUID(),
      body: 'Later',
      sendAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
  await query('DROP TABLE scheduled_messages', [], database.url);

  await eventually(async () => expect((await fetch(`${worker.url}/ready`)).status).toBe(503));
  const failure = worker
    .output()
    .split('\n')
    .find((line) => line.includes('"event":"job.failed"'));
  expect(JSON.parse(failure ?? '{}')).toMatchObject({
    level: 'error',
    job: 'scheduled.dispatch',
    err: { sqlstate: '42P01', message: expect.stringContaining('"scheduled_messages" does not exist') },
  });
  expect(worker.output()).toMatch(/"schema\.guard_failed".*table schema is not ready: [^"]*scheduled_messages/);
  expect(await schedule()).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
  expect((await fetch(`${worker.url}/health`)).status).toBe(200);

  const cli = [join(root, 'dist/cli.js'), 'db', 'repair'];
  await run(process.execPath, cli, { cwd: root, env: { PATH: process.env.PATH, DATABASE_URL: database.url } });
  for (const server of [api, worker]) await untilReady(server);
  expect((await schedule()).status).toBe(201);
  await query(`UPDATE scheduled_messages SET send_at = now()`, [], database.url);
  await until(1);
  for (const server of [api, worker]) expect(await server.stop()).toBe(0);
});
