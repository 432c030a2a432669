import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { eventually } from '../support/eventually.js';
import { throughProxy, upstreamOf } from '../lifecycle/support/proxy.js';
import { full } from '../lifecycle/support/world.js';
import { query } from '../support/database.js';
import { connect, type Connection, type Person, register } from '../support/people.js';
import { startServer, type TestServer } from '../support/postgres.js';
import { type ServerProcess, startServerProcess, untilReady } from '../support/server-process.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** Rows F13 to F25 of the fault matrix: one server, whose database fails in every way, and that never restarts. */
const CONNECTIONS = 30;
const run = promisify(execFile);
let postgres: TestServer;
let proxy: TcpProxy;
let server: ServerProcess;
let ada: Person;
let socket: Connection;
let conversation: string;
/** Holds the URL of the database, as a platform mounts a secret. */
let secret: string;

beforeAll(async () => {
  postgres = await startServer({
    settings: { max_connections: String(CONNECTIONS), fsync: 'off', full_page_writes: 'off' },
  });
  proxy = await TcpProxy.start(upstreamOf(postgres.url));
  secret = join(await mkdtemp(join(tmpdir(), 'parley-secret-')), 'database-url');
  await writeFile(secret, throughProxy(postgres.url, proxy));
  server = await startServerProcess({
    DATABASE_URL_FILE: secret,
    APP_SECRET: 'faults-secret-faults-secret-faults-secret',
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    DB_POOL_MAX: '4',
    DB_STATEMENT_TIMEOUT_MS: '1500',
    DB_CONNECT_TIMEOUT_MS: '1500',
  });
  ada = await register(server.url, 'Ada');
  const created = await ada.post<{ id: string }>('/api/v1/conversations', {
    type: 'group',
    title: 'Faults',
    memberIds: [],
  });
  conversation = created.body.id;
  socket = await connect(ada);
});
afterAll(async () => {
  socket.close();
  await server.stop();
  await proxy.stop();
  await postgres.stop();
  await rm(dirname(secret), { recursive: true, force: true });
});
/** S1, S3: whatever happened, the process and its socket are the same, and it is ready again. */
afterEach(async () => {
  await untilReady(server);
  expect(server.child.exitCode).toBeNull();
  expect(socket.socket.connected).toBe(true);
});

const direct = <Row extends object>(text: string, values: unknown[] = []) => query<Row>(text, values, postgres.url);
const path = () => `/api/v1/conversations/${conversation}/messages`;
const send = (body: string, clientId = randomUUID()) =>
  ada.post<{ message: { seq: number }; deduplicated: boolean }>(path(), { clientId, body });
const me = () => ada.get('/api/v1/users/me');
/** Every answer of a fault is success, or 503 that says when to come back. */
const statuses = async (answers: Promise<{ status: number; headers: Headers }>[]): Promise<Set<number>> => {
  const all = await Promise.all(answers);
  for (const { status, headers } of all) if (status === 503) expect(headers.get('retry-after')).toMatch(/^\d+$/);
  return new Set(all.map(({ status }) => status));
};
const application = `application_name LIKE 'parley/app/%'`;
const cutApplication = () => direct(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${application}`);

it('F13 a black hole: every call ends with 503, nothing hangs', async () => {
  proxy.set('blackhole');
  expect(await statuses(Array.from({ length: 12 }, () => me()))).toEqual(new Set([503]));
  proxy.set('pass');
  proxy.reset();
});

it('F13 a black hole: a sign-in ends with the first question that has no answer', async () => {
  const credentials = { identifier: ada.identifier, password: 'wrong, and nobody can tell' };
  const asked = proxy.whenClientSends('rate_limit_counters', () => proxy.set('mute'));
  const signIn = ada.post('/api/v1/auth/login', credentials);
  await asked;
  expect(await signIn).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
  proxy.set('pass');
  proxy.reset();
});

it('F15 a connection lost after the commit: the same clientId gets the number that was drawn', async () => {
  const clientId = randomUUID();
  const body = `committed ${clientId}`;
  const lost = proxy.whenClientSends(body, () => proxy.set('mute'));
  const unanswered = send(body, clientId);
  await lost;
  const stored = () => direct<{ seq: string }>('SELECT seq FROM messages WHERE client_id = $1', [clientId]);
  await eventually(async () => expect(await stored()).toHaveLength(1));
  proxy.set('pass');
  proxy.reset();
  expect((await unanswered).status).toBe(503);
  await untilReady(server);
  const again = await send(body, clientId);
  const [row] = await stored();
  expect(again).toMatchObject({ status: 200, body: { deduplicated: true, message: { seq: Number(row?.seq) } } });
});

it('F16 idle connections terminated: the next calls are served', async () => {
  await me();
  await cutApplication();
  await eventually(async () =>
    expect(await direct(`SELECT 1 FROM pg_stat_activity WHERE ${application} AND state = 'idle'`)).toEqual([]),
  );
  expect((await me()).status).toBe(200);
  expect((await send('after the cut')).status).toBe(201);
});

it('F17 every connection busy: waiting is bounded, probes answer, and it passes', async () => {
  const holder = new Client({ connectionString: postgres.url });
  await holder.connect();
  await holder.query('BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE');
  const answers = Array.from({ length: 20 }, () => me());
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  expect(await statuses(answers)).toEqual(new Set([503]));
  await holder.query('ROLLBACK');
  await holder.end();
  await eventually(async () => expect((await me()).status).toBe(200));
});

it('F18 no connection left at the server: 503, then as before', async () => {
  await me();
  const fillers: Client[] = [];
  await cutApplication();
  // Including those reserved for the administrator: until the server says no.
  for (;;) {
    const filler = new Client({ connectionString: postgres.url });
    filler.on('error', () => undefined);
    try {
      await filler.connect();
      fillers.push(filler);
    } catch {
      break;
    }
  }
  expect(fillers.length).toBeGreaterThan(CONNECTIONS / 2);
  // What the application holds elsewhere ends too, so that it has to ask for connections.
  await fillers[0]?.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${application}`);
  const seen = await statuses(Array.from({ length: 12 }, () => me()));
  expect([...seen].filter((status) => ![200, 503].includes(status))).toEqual([]);
  await Promise.all(fillers.map((filler) => filler.end()));
  await eventually(async () => expect((await me()).status).toBe(200));
});

it('A315 a new password in the secret: open connections go on, new ones take it, nothing is restarted', async () => {
  const url = new URL(postgres.url);
  const old = decodeURIComponent(url.password);
  const admin = new Client({ connectionString: postgres.url });
  await admin.connect();
  const alter = (password: string) => admin.query(`ALTER ROLE CURRENT_USER PASSWORD '${password}'`);
  const cutAll = () =>
    admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'parley/%'`);
  const connected = async () =>
    (
      await admin.query<{ kind: string }>(
        `SELECT DISTINCT split_part(application_name, '/', 2) AS kind FROM pg_stat_activity WHERE application_name LIKE 'parley/%'`,
      )
    ).rows.map(({ kind }) => kind);
  try {
    await me();
    await alter('rotated: @/?#%');
    expect((await me()).status).toBe(200);
    await cutAll();
    await eventually(async () => expect(await statuses([me()])).toEqual(new Set([503])));
    url.password = encodeURIComponent('rotated: @/?#%');
    await writeFile(secret, throughProxy(url.href, proxy));
    await eventually(async () => expect((await me()).status).toBe(200));
    await eventually(async () => expect(await connected()).toEqual(expect.arrayContaining(['app', 'bus', 'probe'])));
    expect((await send('under the new password')).status).toBe(201);
    await writeFile(secret, 'postgresql://half a fi');
    await cutAll();
    await eventually(async () => expect((await me()).status).toBe(200));
    expect(server.output()).not.toContain('rotated');
  } finally {
    await alter(old);
    await writeFile(secret, throughProxy(postgres.url, proxy));
    await cutAll();
    await admin.end();
  }
  await eventually(async () => expect((await me()).status).toBe(200));
});

it('F19 a statement that takes too long: cancelled, 503, counted', async () => {
  await direct(
    `CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(30); RETURN NEW; END'`,
  );
  await direct('CREATE TRIGGER dawdle BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION dawdle()');
  try {
    expect(await send('too slow')).toMatchObject({ status: 503, body: { code: expect.any(String) as string } });
  } finally {
    await direct('DROP TRIGGER dawdle ON messages');
    await direct('DROP FUNCTION dawdle()');
  }
  expect(await direct('SELECT 1 FROM messages WHERE body = $1', ['too slow'])).toEqual([]);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/^db_errors_total\{class="timeout"\} [1-9]/m);
});

it('F24 a server that turned read-only: reads go on, writes are 503 until it takes them again', async () => {
  await direct('ALTER DATABASE parley SET default_transaction_read_only = on');
  await cutApplication();
  await eventually(async () => expect((await me()).status).toBe(200));
  expect((await send('not now')).status).toBe(503);
  await direct('BEGIN READ WRITE; ALTER DATABASE parley RESET default_transaction_read_only; COMMIT');
  await cutApplication();
  await eventually(async () => expect((await send('now')).status).toBe(201));
});

it('F25 a plan that no longer fits after DDL: nobody notices', async () => {
  for (let i = 0; i < 8; i++) await me();
  await direct('ALTER TABLE users ADD COLUMN later_build text');
  expect(await statuses(Array.from({ length: 8 }, () => me()))).toEqual(new Set([200]));
  expect((await send('still here')).status).toBe(201);
  await direct('ALTER TABLE users DROP COLUMN later_build');
});

// They need the right to mount a small file system, so only the full run has it.
if (full) {
  it('F22 a full disk: writes are 503, reads go on; with space again all is as before', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parley-full-disk-'));
    await run('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', folder]);
    try {
      const { uid, gid } = await stat(join(postgres.dir, 'data'));
      await chmod(folder, 0o700);
      await chown(folder, uid, gid);
      await direct(`CREATE TABLESPACE small LOCATION '${folder}'`);
      await direct('ALTER TABLE messages SET TABLESPACE small');
      await direct('CREATE TABLE filler (v text) TABLESPACE small');
      await expect(
        direct(`INSERT INTO filler SELECT repeat(md5(i::text), 30) FROM generate_series(1, 20000) AS i`),
      ).rejects.toMatchObject({ code: '53100' });
      // What the failed statement had taken stays taken, so the first pages that messages need are missing.
      let status = 201;
      for (let i = 0; i < 400 && status === 201; i++) ({ status } = await send('x'.repeat(7_000)));
      expect(status).toBe(503);
      expect((await ada.get(path())).status).toBe(200);
      await direct('DROP TABLE filler');
      await eventually(async () => expect((await send('space again')).status).toBe(201));
      await direct('ALTER TABLE messages SET TABLESPACE pg_default');
      await direct('DROP TABLESPACE small');
    } finally {
      await run('umount', ['-l', folder]);
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('F23 a full WAL volume: PostgreSQL stops itself, writes are 503; with space again all that was acknowledged is there', async () => {
    const volume = await mkdtemp(join(tmpdir(), 'parley-full-wal-'));
    const wal = join(postgres.dir, 'data', 'pg_wal');
    const aside = `${wal}-aside`;
    await run('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'tmpfs', volume]);
    try {
      const { uid, gid } = await stat(wal);
      await postgres.kill('SIGINT');
      await run('cp', ['-a', `${wal}/.`, volume]);
      await chmod(volume, 0o700);
      await chown(volume, uid, gid);
      await rename(wal, aside);
      await symlink(volume, wal);
      await postgres.start();
      await untilReady(server);
      expect((await send('on the small volume')).status).toBe(201);
      // Takes all the space there is.
      await run('dd', ['if=/dev/zero', `of=${join(volume, 'filler')}`, 'bs=1M']).catch(() => undefined);
      const acknowledged: string[] = [];
      const outcomes = new Set<number>();
      for (const until = Date.now() + 60_000; !outcomes.has(503) && Date.now() < until;) {
        const clientId = randomUUID();
        const { status } = await send(clientId, clientId);
        outcomes.add(status);
        if (status === 201) acknowledged.push(clientId);
        // The rest of this segment, so that the next one is needed.
        await direct('SELECT pg_switch_wal()').catch(() => undefined);
      }
      expect([...outcomes].filter((status) => status !== 201)).toEqual([503]);
      expect(await readFile(join(postgres.dir, 'server.log'), 'utf8')).toMatch(/PANIC: .*No space left on device/);
      await rm(join(volume, 'filler'));
      await postgres.start();
      await eventually(async () => expect((await send('space again')).status).toBe(201));
      const stored = await direct<{ id: string }>('SELECT client_id::text AS id FROM messages');
      expect(stored.map(({ id }) => id)).toEqual(expect.arrayContaining(acknowledged));
      await postgres.kill('SIGINT');
      await rm(wal);
      await rm(aside, { recursive: true });
      await run('cp', ['-a', volume, wal]);
      await postgres.start();
    } finally {
      await run('umount', ['-l', volume]);
      await rm(volume, { recursive: true, force: true });
    }
  });
}

it('nothing acknowledged was lost, and the numbers have no hole', async () => {
  const [row] = await direct<{ n: string; head: string }>(
    'SELECT (SELECT count(*) FROM messages) AS n, (SELECT seq FROM conversation_head) AS head',
  );
  expect(row?.n).toBe(row?.head);
});
