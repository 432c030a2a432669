// What telling people costs: rows written and CPU per sent message, outbox lag at a given load, and how fast a large
// channel is notified. All in one run on one PostgreSQL with fsync on, with a push receiver in this process.
//   npm run bench:notifications -- [--rate 300] [--seconds 10] [--members 10000] [--queue outbox] [--only cost,channel]
import { createServer } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startEmbedded } from '../dist/platform/database/embedded-postgres.js';
import { percentiles, round } from './load/measure.mjs';
import { query, startSubject } from './load/subjects.mjs';
import { Traffic } from './load/traffic.mjs';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '10' },
    members: { type: 'string', default: '10000' },
    queue: { type: 'string' },
    only: { type: 'string', default: 'cost,channel' },
  },
});
const [rate, seconds, members] = [values.rate, values.seconds, values.members].map(Number);
/** Backends report what they wrote at the latest this long after they have become idle. */
const STATISTICS_MS = 11_000;
const SAMPLE_MS = 10;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let pushes = 0;
const receiver = createServer((request, response) => {
  request.resume().on('end', () => {
    pushes += 1;
    response.end();
  });
});
await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve));
const environment = {
  PUSH_WEBHOOK_URL: `http://127.0.0.1:${receiver.address().port}/`,
  PUSH_WEBHOOK_SECRET: 'bench-secret-bench-secret-bench-secret',
  WEBHOOK_ALLOW_PRIVATE: 'true',
  ...(values.queue ? { QUEUE_DRIVER: values.queue } : {}),
};
const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'));
const dir = join(directory, 'pg');
const server = await startEmbedded({ dir, log: () => undefined, settings: { fsync: 'on', max_connections: '100' } });
try {
  if (values.only.includes('cost')) {
    console.log(`\nCost of a message: 100 direct conversations, ${rate} msg/s`);
    console.table({ 'no device': await cost(false), 'a device each': await cost(true) });
  }
  if (values.only.includes('channel')) {
    console.log(`\nA channel of ${members} members with a device each`);
    console.table(await channel());
  }
} finally {
  await server.stop();
  receiver.close();
  rmSync(directory, { recursive: true, force: true });
}
process.exit(0);

async function cost(devices) {
  const parley = await startSubject('parley', { url: server.url, dir }, { ...environment, NOTIFY_DELAY_MS: '1000' });
  const database = new pg.Client({ connectionString: parley.url });
  await database.connect();
  try {
    const world = await parley.world(Array.from({ length: 100 }, () => ({ members: 2, type: 'direct' })));
    if (devices) await giveDevices(parley);
    // Clients in use would have seen everything: only the senders are there.
    const present = { ...world, members: world.members.map(([sender]) => [sender]) };
    await Promise.all(present.members.flat().map((client) => client.open(parley.port)));
    await settled(database);
    await pause(STATISTICS_MS);
    const rows = await written(database);
    const usage = parley.usage();
    const lag = sampleLag(parley.url);
    const { messagesPerSecond } = await new Traffic(parley, present).open(rate, seconds);
    const ages = await lag.stop();
    await settled(database);
    const after = parley.usage();
    await pause(STATISTICS_MS);
    const wrote = await written(database);
    const sent = wrote.messages - rows.messages;
    const per = (name) => round((wrote[name] - rows[name]) / sent);
    return {
      messages: sent,
      'msg/s': messagesPerSecond,
      'outbox rows': per('outbox'),
      'ledger rows': per('notification_decisions'),
      'all rows': per('all'),
      'server ms/msg': round(((after.server - usage.server) * 1000) / sent, 3),
      'database ms/msg': round(((after.database - usage.database) * 1000) / sent, 3),
      'outbox lag p50 ms': percentiles(ages).p50,
      'outbox lag p99 ms': percentiles(ages).p99,
    };
  } finally {
    await database.end();
    await parley.stop();
  }
}

async function channel() {
  const parley = await startSubject('parley', { url: server.url, dir }, { ...environment, NOTIFY_DELAY_MS: '0' });
  const database = new pg.Client({ connectionString: parley.url });
  await database.connect();
  try {
    const { conversations, members: clients } = await parley.world([{ members, type: 'channel' }]);
    await giveDevices(parley);
    await database.query(`UPDATE memberships SET notify_level = 'all'`);
    await settled(database);
    const sender = await clients[0][0].open(parley.port);
    const usage = parley.usage();
    const before = pushes;
    const startedAt = performance.now();
    sender.send(1, conversations[0], 'Hello everybody');
    const until = async (count) => {
      while ((await count()) < members - 1) await pause(20);
      return round((members - 1) / ((performance.now() - startedAt) / 1000), 0);
    };
    const decided = async () =>
      Number((await database.query('SELECT count(*) AS n FROM notification_decisions')).rows[0].n);
    const [decisions, delivered] = await Promise.all([until(decided), until(() => pushes - before)]);
    const after = parley.usage();
    return {
      'decisions/s': decisions,
      'pushes/s': delivered,
      'server s': round(after.server - usage.server),
      'database s': round(after.database - usage.database),
    };
  } finally {
    await database.end();
    await parley.stop();
  }
}

/** One device each: the first is registered as a client does, the others have its sealed token under names of their own. */
async function giveDevices(parley) {
  const [{ token }] = await parley.users(1);
  await parley.must(token, 'PUT', '/api/v1/devices/bench', { provider: 'webhook', token: 'bench', platform: 'ios' });
  await query(
    parley.url,
    `INSERT INTO push_devices (user_id, device_id, provider, token_hash, token_enc, platform, rev)
     SELECT u.id, 'bench', provider, u.id::text, token_enc, platform, 0 FROM push_devices AS d, users AS u
     WHERE EXISTS (SELECT FROM memberships WHERE user_id = u.id) ON CONFLICT DO NOTHING`,
  );
  await query(parley.url, 'ANALYZE');
}

/** Nothing waits and nothing is pushed any more, and nothing comes of what was done last. */
async function settled(database) {
  for (let quiet = 0; quiet < 20;) {
    const { rows } = await database.query(
      `SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM notification_decisions WHERE decision = 'pending') AS n`,
    );
    quiet = Number(rows[0].n) === 0 ? quiet + 1 : 0;
    await pause(100);
  }
}

/** Rows inserted, updated and deleted so far, by table. */
async function written(database) {
  await database.query('SELECT pg_stat_clear_snapshot()');
  const { rows } = await database.query(
    `SELECT relname, n_tup_ins AS i, n_tup_ins + n_tup_upd + n_tup_del AS n FROM pg_stat_user_tables`,
  );
  const counts = Object.fromEntries(rows.map(({ relname, n }) => [relname, Number(n)]));
  const all = rows.reduce((sum, { n }) => sum + Number(n), 0);
  return { ...counts, all, messages: Number(rows.find(({ relname }) => relname === 'messages').i) };
}

/** How long the oldest event in the outbox has been waiting, every few milliseconds. */
function sampleLag(url) {
  let running = true;
  const ages = [];
  const client = new pg.Client({ connectionString: url });
  const done = (async () => {
    await client.connect();
    for (; running; await pause(SAMPLE_MS)) {
      const { rows } = await client.query(
        `SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 * 1000 AS ms
         FROM outbox WHERE topic = 'message.created'`,
      );
      ages.push(rows[0].ms);
    }
    await client.end();
  })();
  return { stop: async () => ((running = false), await done, ages) };
}
