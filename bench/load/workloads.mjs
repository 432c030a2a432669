// The workloads of docs/performance.md. Each answers its figures for one subject; `scale` shrinks what takes long.
import { randomUUID } from 'node:crypto';
import { HttpReader } from './http-reader.mjs';
import { percentiles, round } from './measure.mjs';
import { mapLimited, query } from './subjects.mjs';
import { Traffic } from './traffic.mjs';

const PARLEY = 'parley';
const LIMITS = ['Socket.IO, batched INSERT', 'Socket.IO, no storage'];
const WS = ['ws, one INSERT', 'ws, batched INSERT', 'ws, no storage'];
const OPENING_AT_ONCE = 50;
const RAMP = [500, 1000, 2000, 4000, 8000, 16_000];
const RAMP_P99_MS = 100;
const PRESENT_MS = 2000;
const READERS = 8;
const WARM_UP_SECONDS = 3;

async function open(subject, rooms) {
  const world = await subject.world(rooms);
  await connect(subject, world.members.flat());
  return world;
}
const close = ({ members }) => members.flat().forEach((client) => client.close());
const repeat = (count, room) => Array.from({ length: count }, () => room);

/** Runs each part on one world; a fresh Traffic for each, as its numbers start at 0. */
async function traffic(subject, rooms, parts) {
  const world = await open(subject, rooms);
  const results = {};
  // A process that has just started is not what is asked about.
  await new Traffic(subject, world).closed(1, WARM_UP_SECONDS);
  for (const [name, part] of Object.entries(parts)) results[name] = await part(() => new Traffic(subject, world));
  close(world);
  return results;
}

/** The highest rate that is kept up with a p99 below 100 ms. */
async function ramp(start, seconds) {
  let best = 0;
  for (const rate of RAMP) {
    const { messagesPerSecond, p99 } = await start().open(rate, seconds);
    if (messagesPerSecond < rate * 0.95 || p99 > RAMP_P99_MS) break;
    best = rate;
  }
  return { highestRate: best };
}

export const workloads = {
  A: {
    title: '1:1, 100 pairs',
    subjects: [PARLEY, ...LIMITS, ...WS],
    run: (subject, { seconds }) =>
      traffic(subject, repeat(100, { type: 'direct', members: 2 }), {
        'open 300/s': (start) => start().open(300, seconds),
        closed: (start) => start().closed(1, seconds),
        ramp: (start) => ramp(start, seconds / 3),
      }),
  },
  B: {
    title: '20 groups of 50',
    subjects: [PARLEY, ...LIMITS, ...WS],
    run: (subject, { seconds }) =>
      traffic(subject, repeat(20, { type: 'group', members: 50 }), {
        'open 40/s': (start) => start().open(40, seconds),
        closed: (start) => start().closed(1, seconds),
      }),
  },
  C: {
    title: 'one channel of 1,000',
    subjects: [PARLEY, ...LIMITS, ...WS],
    run: (subject, { seconds }) =>
      traffic(subject, [{ type: 'channel', members: 1000 }], {
        'open 5/s': (start) => start().open(5, seconds),
        closed: (start) => start().closed(2, seconds),
      }),
  },
  H: {
    title: 'hot conversation, 200 senders, one online reader counted per sender',
    subjects: [PARLEY, 'parley, batches of 1'],
    run: (subject, { seconds }) =>
      traffic(subject, [{ type: 'group', members: 200 }], { closed: (start) => start().closed(200, seconds) }),
  },
  D: {
    title: 'connection storm with the admission limit off, then idle connections',
    subjects: [PARLEY, 'Socket.IO, no storage', 'ws, no storage'],
    async run(subject, { scale }) {
      const storm = Math.round(2000 * scale);
      const idle = Math.round(5000 * scale);
      const arriving = await subject.loners(storm);
      const staying = await subject.loners(idle);
      const started = subject.usage();
      await connect(subject, arriving);
      const ended = subject.usage();
      arriving.forEach((client) => client.close());
      // What so many people who were made, came and went have left behind would pass for memory of those who stay.
      await subject.restart();
      const before = subject.residentKiB;
      await connect(subject, staying);
      await new Promise((resolve) => setTimeout(resolve, PRESENT_MS));
      const perIdle = (subject.residentKiB - before) / idle;
      staying.forEach((client) => client.close());
      return {
        storm: {
          connections: storm,
          connectionsPerSecond: round((storm * 1000) / (ended.at - started.at), 0),
          cpuPer1000: cpuPer1000(started, ended, storm),
        },
        idle: { connections: idle, residentKiBPerIdle: round(perIdle, 1) },
      };
    },
  },
  E: {
    title: 'history, 8 readers',
    subjects: [PARLEY, 'ws, one INSERT', 'Socket.IO, batched INSERT'],
    run: (subject, options) => (subject.rest ? parleyHistory(subject, options) : stubHistory(subject, options)),
  },
};

const connect = (subject, clients) => mapLimited(clients, OPENING_AT_ONCE, (client) => client.open(subject.port));

/** CPU seconds of the server and the database per 1,000 of what was done between two measurements. */
const cpuPer1000 = (before, after, count) => ({
  server: round(((after.server - before.server) * 1000) / count, 3),
  database: round(((after.database - before.database) * 1000) / count, 3),
});

async function reading(subject, seconds, read) {
  await readers(WARM_UP_SECONDS, read);
  const before = subject.usage();
  const latencies = await readers(seconds, read);
  return {
    requestsPerSecond: round(latencies.length / seconds, 0),
    ...percentiles(latencies),
    cpuPer1000: cpuPer1000(before, subject.usage(), latencies.length),
  };
}

/** Each reader asks again as soon as it has its answer; the latencies of all of them in ms. */
async function readers(seconds, read) {
  const latencies = [];
  const until = performance.now() + seconds * 1000;
  const reader = async (_, i) => {
    while (performance.now() < until) {
      const startedAt = performance.now();
      await read(i);
      latencies.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: READERS }, reader));
  return latencies;
}

async function parleyHistory(subject, { seconds, scale }) {
  const count = Math.round(100_000 * scale);
  const people = await subject.users(301);
  const [reader, ...others] = people;
  const { body } = await subject.must(reader.token, 'POST', '/api/v1/conversations', {
    type: 'direct',
    memberIds: [others[0].id],
  });
  for (const { id } of others.slice(1, Math.round(300 * scale))) {
    await subject.must(reader.token, 'POST', '/api/v1/conversations', { type: 'direct', memberIds: [id] });
  }
  await fillConversation(subject, body.id, reader.id, count);
  const messages = (query) => ({ path: () => `/api/v1/conversations/${body.id}/messages?limit=50${query()}` });
  const over = async (request) => {
    const connections = await Promise.all(
      Array.from({ length: READERS }, () =>
        new HttpReader().open({ port: subject.port, token: reader.token, ...request }),
      ),
    );
    const figures = await reading(subject, seconds, (i) => connections[i].read());
    connections.forEach((connection) => connection.close());
    return figures;
  };
  return {
    newest: await over(messages(() => '')),
    middle: await over(messages(() => `&around=${Math.round(count / 2)}`)),
    // The two above are asked for again and again, and kept by the server; this is what reading them takes.
    anywhere: await over(messages(() => `&before=${50 + Math.round(Math.random() * (count - 50))}`)),
    sync: await over({ method: 'POST', path: () => '/api/v1/sync', body: {} }),
  };
}

/** Written past the server, as 100,000 sends would only measure sending. */
async function fillConversation({ url }, conversation, sender, count) {
  await query(
    url,
    `INSERT INTO messages (conversation_id, seq, id, rev, ord, sender_id, client_id, payload_hash, kind, body, mentions, counts)
     SELECT $1, h.seq + n, gen_random_uuid(), h.rev + n, h.ord + n, $2, gen_random_uuid(), '', 'text', repeat('x', 200), '{}', true
     FROM conversation_head h, generate_series(1, $3::int) AS n WHERE h.conversation_id = $1`,
    [conversation, sender, count],
  );
  await query(
    url,
    'UPDATE conversation_head SET seq = seq + $2, rev = rev + $2, ord = ord + $2 WHERE conversation_id = $1',
    [conversation, count],
  );
  await query(url, 'ANALYZE messages');
}

async function stubHistory(subject, { seconds, scale }) {
  const room = randomUUID();
  await subject.fill(room, Math.round(100_000 * scale));
  const clients = await subject.loners(READERS);
  const waiting = clients.map((client) => {
    let resolve;
    client.onAck = () => resolve();
    return () => new Promise((done) => (resolve = done));
  });
  await Promise.all(clients.map((client) => client.open(subject.port)));
  const newest = await reading(subject, seconds, (i) => {
    const answered = waiting[i]();
    clients[i].history(1, room);
    return answered;
  });
  clients.forEach((client) => client.close());
  return { newest };
}
