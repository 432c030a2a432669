import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { connect, register, type Connection, type Person } from '../support/people.js';
import { startServerProcess, untilReady, type ServerProcess } from '../support/server-process.js';
import { full, World, type Scene } from './support/world.js';

let world: World;
let scene: Scene;
let server: ServerProcess;
let ada: Person;
let connection: Connection;
let conversation: string;

// This server keeps its durability: what was acknowledged must survive its death.
beforeAll(async () => {
  world = await World.start();
  scene = await world.database();
  server = await startServerProcess({
    DATABASE_URL: scene.url,
    APP_SECRET: 'outage-secret-outage-secret-outage-secret',
    NODE_ENV: 'test',
    SCHEMA_GUARD_INTERVAL_MS: '300',
    METRICS_TOKEN: 'metrics-token',
  });
  ada = await register(server.url, 'Ada');
  const ben = await register(server.url, 'Ben');
  const created = await ada.post<{ id: string }>('/api/v1/conversations', { type: 'direct', memberIds: [ben.id] });
  conversation = created.body.id;
  connection = await connect(ada);
});
afterAll(async () => {
  connection.close();
  await server.stop();
  await world.stop();
});
/** After every case: the same process, the same socket, ready again. */
afterEach(async () => {
  await untilReady(server);
  expect(server.child.exitCode).toBeNull();
  expect(connection.socket.connected).toBe(true);
  expect(disconnects).toBe(0);
});

let disconnects = 0;
beforeAll(() => void connection.socket.on('disconnect', () => disconnects++));

async function figures(): Promise<string> {
  const answer = await fetch(`${server.url}/metrics`, { headers: { authorization: 'Bearer metrics-token' } });
  return answer.text();
}

const send = (clientId: string) => connection.emit('message.send', { c: conversation, clientId, body: clientId });

interface Ready {
  status: string;
  checks: Record<string, { status: string }>;
}
async function unready(): Promise<Ready> {
  for (;;) {
    const answer = await fetch(`${server.url}/ready`);
    const body = (await answer.json()) as Ready;
    if (answer.status === 503) return body;
    await delay(50);
  }
}

describe('PostgreSQL after READY', () => {
  const acknowledged: string[] = [];
  const refusals = new Set<string>();
  let sending = false;
  let sender: Promise<void>;

  beforeAll(() => {
    sending = true;
    sender = (async () => {
      while (sending) {
        const clientId = randomUUID();
        const ack = await send(clientId).catch(() => undefined);
        if (ack?.ok) acknowledged.push(clientId);
        else if (ack) refusals.add(ack.error.code);
        await delay(20);
      }
    })();
  });
  afterAll(async () => {
    await eventually(async () => {
      expect(acknowledged.length).toBeGreaterThan(20);
      await Promise.resolve();
    });
    sending = false;
    await sender;
    const stored = await scene.sql<{ client_id: string }>('SELECT client_id::text FROM messages');
    const known = new Set(stored.map((row) => row.client_id));
    expect(acknowledged.filter((id) => !known.has(id))).toEqual([]);
    expect([...refusals].filter((code) => !['database_unavailable', 'overloaded'].includes(code))).toEqual([]);
    expect(refusals).toContain('database_unavailable');
  });

  it('is killed: readiness falls, liveness stays, and all comes back with it', async () => {
    await world.server.kill('SIGKILL');
    const { checks } = await unready();
    expect(checks['database']?.status).toBe('down');
    expect((await fetch(`${server.url}/health`)).status).toBe(200);
    expect(await figures()).toMatch(/^db_state\{state="down"\} 1$/m);
    expect((await ada.get('/api/v1/users/me')).status).toBe(503);
    await world.server.start();
  });

  it('is frozen: the same', async () => {
    const pid = await world.server.pid();
    const backends = await world.sql<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()');
    const all = [pid, ...backends.map((row) => row.pid)];
    for (const each of all) process.kill(each, 'SIGSTOP');
    await unready();
    await delay(full ? 30_000 : 1_000);
    for (const each of all) process.kill(each, 'SIGCONT');
  });

  it(`comes and goes ${full ? 60 : 3} times`, async () => {
    for (let round = 0; round < (full ? 60 : 3); round++) {
      await world.server.kill('SIGKILL');
      await delay(full ? 1_000 : 300);
      await world.server.start();
      await delay(full ? 1_000 : 300);
    }
  });
});

describe('the schema after READY', () => {
  it('loses a column: readiness falls within a guard interval, and returns with the column', async () => {
    await scene.sql('ALTER TABLE users RENAME COLUMN display_name TO was_display_name');
    const { checks } = await unready();
    expect(checks['schema']?.status).toBe('down');
    expect(await send(randomUUID())).toMatchObject({ ok: false, error: { code: 'database_unavailable' } });
    expect(server.output()).toMatch(/"schema\.guard_failed".*table schema is not ready: [^"]*users\.display_name/);
    expect(await figures()).toMatch(/^schema_drift_objects\{severity="fatal"\} [1-9]/m);
    await scene.sql('ALTER TABLE users RENAME COLUMN was_display_name TO display_name');
    await untilReady(server);
    expect(await send(randomUUID())).toMatchObject({ ok: true });
    let text = await figures();
    // On a slow machine one late answer of the database makes it suspect for a moment.
    for (; !text.includes('db_state{state="ready"} 1'); text = await figures()) await delay(50);
    for (const line of [
      'schema_drift_objects{severity="fatal"} 0',
      'schema_ready 1',
      'db_state{state="ready"} 1',
      'boot_phase{phase="ready"} 1',
    ])
      expect(text.split('\n')).toContain(line);
    expect(text).toMatch(/^boot_phase_seconds\{phase="checking"\} /m);
  });

  it('is taken over by a build of a later epoch: this one leaves service and says so', async () => {
    await scene.sql('UPDATE lifecycle.meta SET min_epoch = 99');
    const { checks } = await unready();
    expect(checks['schema']?.status).toBe('down');
    expect(await send(randomUUID())).toMatchObject({ ok: false, error: { code: 'database_unavailable' } });
    await scene.sql('UPDATE lifecycle.meta SET min_epoch = 0');
  });
});
