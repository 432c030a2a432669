// Whether memory grows under steady load, and what waits: chats in pairs (100) and groups of 50 (20) over sockets, at rates
// that do not depend on the answers, beside REST calls and people who come and go.
//   node bench/soak.mjs [--minutes 60] [--pairs 300] [--groups 40] [--calls 20] [--visits 1] [--json file]
// Rates are messages, calls and visits per second. Slopes are by least squares over the second half. Needs a build
// (npm run build) and Linux. Exit 1 when memory grows by 1 MiB an hour or more, when anything of a chat was lost, doubled or
// refused, a socket closed, or the outbox stood still for a minute.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmbedded } from '../dist/platform/database/embedded-postgres.js';
import { mapLimited, query, startSubject } from './load/subjects.mjs';
import { Traffic } from './load/traffic.mjs';
import { judge, report } from './soak/report.mjs';
import { startSideTraffic } from './soak/side-traffic.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    pairs: { type: 'string', default: '300' },
    groups: { type: 'string', default: '40' },
    calls: { type: 'string', default: '20' },
    visits: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const { minutes, pairs, groups, calls, visits } = Object.fromEntries(
  ['minutes', 'pairs', 'groups', 'calls', 'visits'].map((name) => [name, Number(values[name])]),
);
const SAMPLE_MS = 15_000;
// Each stretch has a second of warm-up, which is sent and not measured.
const STRETCH_SECONDS = Math.min(59, Math.max(4, minutes * 10));
const OPENING_AT_ONCE = 20;
const rooms = (count, room) => Array.from({ length: count }, () => room);

const directory = mkdtempSync(join(tmpdir(), 'parley-soak-'));
const dir = join(directory, 'pg');
const samplesFile = join(directory, 'samples');
const server = await startEmbedded({ dir, log: () => undefined, settings: { fsync: 'on' } });
let parley;
try {
  parley = await startSubject(
    'parley',
    { url: server.url, dir },
    {
      LOG_LEVEL: 'info',
      NODE_OPTIONS: `--import ${new URL('./soak/probe.mjs', import.meta.url).href}`,
      SOAK_SAMPLES: samplesFile,
      SOAK_SAMPLE_MS: String(SAMPLE_MS),
    },
  );
  const worlds = [
    { rate: pairs, ...(await parley.world(rooms(100, { type: 'direct', members: 2 }))) },
    { rate: groups, ...(await parley.world(rooms(20, { type: 'group', members: 50 }))) },
  ];
  const clients = worlds.flatMap(({ members }) => members.flat());
  await mapLimited(clients, OPENING_AT_ONCE, (client) => client.open(parley.port));
  const [person, ...visitors] = await parley.users(51);
  const { body } = await parley.must(person.token, 'POST', '/api/v1/conversations', {
    type: 'group',
    title: 'Soak',
    memberIds: visitors.map(({ id }) => id),
  });
  const answers = {};
  const stopSide = startSideTraffic(parley, { person, conversation: body.id, visitors }, { calls, visits }, answers);
  const database = [];
  const watch = setInterval(() => void measureDatabase().then((sample) => database.push(sample)), SAMPLE_MS);
  const stretches = [];
  for (const until = Date.now() + minutes * 60_000; Date.now() < until;) {
    const parts = worlds.map((world) => new Traffic(parley, world).open(world.rate, STRETCH_SECONDS));
    stretches.push(await Promise.all(parts));
  }
  clearInterval(watch);
  stopSide();
  const memory = readFileSync(samplesFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const result = report({ memory, database, stretches, calls: answers });
  if (values.json)
    writeFileSync(values.json, `${JSON.stringify({ ...result, memory, database, stretches }, null, 1)}\n`);
  const missed = judge(result, clients.filter(({ dropped }) => dropped).length);
  console.log(JSON.stringify({ minutes, rates: { pairs, groups, calls, visits }, ...result, missed }, null, 2));
  if (missed.length > 0) process.exitCode = 1;
} finally {
  await parley?.stop();
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
}
process.exit();

async function measureDatabase() {
  const [{ bytes, waiting, oldestSeconds }] = await query(
    parley.url,
    `SELECT pg_database_size(current_database())::float8 AS bytes, (SELECT count(*)::int FROM outbox) AS waiting,
       (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 FROM outbox) AS "oldestSeconds"`,
  );
  return { at: Date.now(), bytes, waiting, oldestSeconds };
}
