// What presence costs and how long a ghost lives: writes while thousands are idle, batches of a fan-out, the time to
// offline after a replica was killed, and everybody coming back within seconds.
//   node bench/presence.mjs [--users 5000] [--idle 60] [--storm 5]
// Needs a build (npm run build) and a file limit above twice the users. Starts its own embedded PostgreSQL and two replicas.
import { spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbedded } from '../dist/platform/database/embedded-postgres.js';
import { percentiles, round } from './load/measure.mjs';
import { RawSocket } from './realtime/raw-socket.mjs';

const option = (name, fallback) =>
  process.argv.includes(name) ? Number(process.argv[process.argv.indexOf(name) + 1]) : fallback;
const users = option('--users', 5000);
const idleSeconds = option('--idle', 60);
const stormSeconds = option('--storm', 5);
const WATCHERS = 50;
const WATCHED = 200;
const AT_ONCE = 40;
const secret = 'bench-secret-bench-secret-bench-secret';
const issuer = 'https://bench.example';
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const base64 = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token of a host application: makes its user at first sight. */
function tokenOf(subject) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: 'parley', sub: subject, iat: now, exp: now + 3600, name: subject };
  const text = `${base64({ alg: 'HS256', typ: 'JWT' })}.${base64(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function startReplica(databaseUrl) {
  const port = await freePort();
  const child = spawn(process.execPath, [join(import.meta.dirname, '../dist/main.js')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      DATABASE_URL: databaseUrl,
      APP_SECRET: secret,
      HOST_JWT_ISSUER: issuer,
      HOST_JWT_AUDIENCE: 'parley',
      HOST_JWT_SECRET: secret,
      MEDIA_DIR: join(directory, 'media'),
      LOG_LEVEL: 'fatal',
      // All come from one address here. The admission rate stays as it is delivered.
      RATE_HANDSHAKE: '1000000/60',
      RATE_REST: '1000000/60',
    },
  });
  const url = `http://127.0.0.1:${port}`;
  while ((await fetch(`${url}/ready`).catch(() => ({ status: 0 }))).status !== 200) await pause(100);
  return { port, url, child };
}

const people = Array.from({ length: users }, (_, i) => ({ name: `user-${i}`, token: tokenOf(`user-${i}`) }));
let refusals = 0;

/** Comes in as a client does: a refusal is waited out, with jitter. */
async function comeIn(person, { port }) {
  for (;;) {
    try {
      person.socket = await RawSocket.open(
        port,
        { token: person.token, deviceId: 'bench', protocol: 1 },
        { waitFor: '"ready"' },
      );
      return;
    } catch (error) {
      refusals += 1;
      await pause((error.retryAfterMs ?? 1000) * (0.5 + Math.random()));
    }
  }
}

async function all(list, work) {
  const queue = [...list];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let one = queue.pop(); one; one = queue.pop()) await work(one);
    }),
  );
}

const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'));
const postgres = await startEmbedded({ dir: join(directory, 'pg'), log: () => undefined });
const replicas = [await startReplica(postgres.url), await startReplica(postgres.url)];
const database = new pg.Client({ connectionString: postgres.url });
await database.connect();
const report = { users, replicas: replicas.length };

/** Rows written so far, by table. */
async function written() {
  await pause(1500); // the server publishes its counters about once a second
  const { rows } = await database.query(
    `SELECT relname AS table, (n_tup_ins + n_tup_upd + n_tup_del)::int AS rows FROM pg_stat_user_tables WHERE schemaname = 'public'`,
  );
  return new Map(rows.map((row) => [row.table, row.rows]));
}

async function stateOf(replica, viewer, ids) {
  const answer = await fetch(`${replica.url}/api/v1/presence?ids=${ids.join(',')}`, {
    headers: { authorization: `Bearer ${viewer.token}`, 'x-device-id': 'bench' },
  });
  return (await answer.json()).items.map(({ state }) => state);
}

try {
  const startedAt = performance.now();
  await all(people, async (person) => comeIn(person, replicas[people.indexOf(person) % 2]));
  report.firstSight = { seconds: round((performance.now() - startedAt) / 1000, 1) };
  const { rows } = await database.query(`SELECT subject, user_id AS id FROM user_identities`);
  const ids = new Map(rows.map(({ subject, id }) => [subject, id]));
  for (const person of people) person.id = ids.get(person.name);
  await database.query(
    `INSERT INTO user_preferences (user_id, notifications, privacy, rev, updated_at)
     SELECT id, '{}', '{"presence":"everyone"}', 0, now() FROM users
     ON CONFLICT (user_id) DO UPDATE SET privacy = excluded.privacy`,
  );

  // 1. Nobody does anything.
  await pause(15_000);
  const before = await written();
  await pause(idleSeconds * 1000);
  const after = await written();
  const perMinute = Object.fromEntries(
    [...after]
      .map(([table, count]) => [table, round(((count - (before.get(table) ?? 0)) * 60) / (idleSeconds + 1.5), 1)])
      .filter(([, count]) => count > 0),
  );
  report.idle = {
    seconds: idleSeconds,
    presenceRowsPerMinute: round(
      (perMinute.replica_lease ?? 0) + (perMinute.presence_entries ?? 0) + (perMinute.presence_state ?? 0),
      1,
    ),
    rowsPerMinute: perMinute,
  };

  // 2. Many who are watched change at once.
  const watchers = people.slice(0, WATCHERS);
  const watched = people.slice(-WATCHED);
  const userIds = watched.map(({ id }) => id);
  for (const { socket } of watchers) socket.send(`42/v1,1${JSON.stringify(['presence.watch', { userIds }])}`);
  await pause(2000);
  const heard = watchers.map(({ socket }) => socket.events);
  for (const { socket } of watched) socket.send(`42/v1,2${JSON.stringify(['presence.activity', { state: 'idle' }])}`);
  await pause(15_000);
  const events = watchers.map(({ socket }, i) => socket.events - heard[i]);
  report.fanOut = {
    watchers: WATCHERS,
    changes: WATCHED,
    tuples: WATCHERS * WATCHED,
    eventsPerWatcher: { min: Math.min(...events), max: Math.max(...events) },
  };

  // 3. A replica dies.
  const [victim, survivor] = replicas;
  const lost = people.filter((_, i) => i % 2 === 0);
  const sample = lost.slice(-100).map(({ id }) => id);
  const viewer = people[1];
  victim.child.kill('SIGKILL');
  const killedAt = performance.now();
  let first;
  for (;;) {
    const away = (await stateOf(survivor, viewer, sample)).filter((state) => state === 'offline').length;
    if (away > 0) first ??= performance.now();
    if (away === sample.length) break;
    await pause(100);
  }
  report.killed = {
    users: lost.length,
    firstOfflineSeconds: round((first - killedAt) / 1000, 1),
    lastOfflineSeconds: round((performance.now() - killedAt) / 1000, 1),
  };

  // 4. Everybody is gone, and comes back within seconds, to the replica that is left and a new one.
  for (const { socket } of people) socket.close();
  replicas[0] = await startReplica(postgres.url);
  await pause(1000);
  refusals = 0;
  const asked = { ready: [], health: [], rest: [] };
  let failed = 0;
  let storming = true;
  const ask = async (kind, path, headers = {}) => {
    while (storming) {
      const at = performance.now();
      const { status } = await fetch(`${survivor.url}${path}`, { headers }).catch(() => ({ status: 0 }));
      asked[kind].push(performance.now() - at);
      if (status !== 200) failed += 1;
      await pause(50);
    }
  };
  const outside = { authorization: `Bearer ${tokenOf('outside')}`, 'x-device-id': randomUUID() };
  const probing = [ask('ready', '/ready'), ask('health', '/health'), ask('rest', '/api/v1/users/me', outside)];
  const storm = performance.now();
  await Promise.all(
    people.map(async (person, i) => {
      await pause(Math.random() * stormSeconds * 1000);
      await comeIn(person, replicas[i % 2]);
      person.inAt = performance.now() - storm;
    }),
  );
  storming = false;
  await Promise.all(probing);
  report.storm = {
    withinSeconds: stormSeconds,
    inSeconds: Object.fromEntries(
      Object.entries(percentiles(people.map(({ inAt }) => inAt))).map(([name, ms]) => [name, round(ms / 1000, 1)]),
    ),
    refusedAndBack: refusals,
    answersNot200: failed,
    ms: Object.fromEntries(Object.entries(asked).map(([kind, list]) => [kind, percentiles(list)])),
  };
} finally {
  for (const { socket } of people) socket?.close();
  for (const { child } of replicas) child.kill('SIGKILL');
  await database.end();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}
console.log(JSON.stringify(report, null, 2));
process.exit(0);
