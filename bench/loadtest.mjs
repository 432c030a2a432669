// The load generator against an installation that runs somewhere: pairs of people who write to each other at a fixed rate,
// whatever the server does. Progress on stderr, figures as JSON on stdout. `parley loadtest` runs it.
//   node bench/loadtest.mjs '{"url":"http://localhost:3000","pairs":5,"rate":20,"seconds":10}'
import { randomUUID } from 'node:crypto';
import { SocketIoClient } from './load/client.mjs';
import { Traffic } from './load/traffic.mjs';

const { url, pairs, rate, seconds } = JSON.parse(process.argv[2]);
const { hostname, port, protocol } = new URL(url);
const secure = protocol === 'https:';
const target = { host: hostname, port: Number(port || (secure ? 443 : 80)), secure };
const note = (text) => process.stderr.write(`${text}\n`);
const people = [];

async function call(method, path, body, token) {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: {
      ...(body && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.ok) return text ? JSON.parse(text) : undefined;
  const { detail = text.slice(0, 200), code = response.status } = JSON.parse(text || '{}');
  throw new Error(`${method} ${path}: ${code}: ${detail}`);
}

async function register(i) {
  const password = randomUUID();
  const identifier = `parley-loadtest-${randomUUID()}@example.com`;
  const { user, tokens } = await call('POST', '/auth/register', { identifier, password, displayName: `Load ${i}` });
  people.push({ id: user.id, password, token: tokens.accessToken, deviceId: tokens.deviceId });
}

async function makeWorld() {
  note(`registering ${pairs * 2} people ...`);
  for (let i = 0; i < pairs * 2; i++) await register(i);
  const conversations = [];
  const members = [];
  for (let i = 0; i < pairs; i++) {
    const [a, b] = people.slice(i * 2, i * 2 + 2);
    const { id } = await call('POST', '/conversations', { type: 'direct', memberIds: [b.id] }, a.token);
    conversations.push(id);
    const clients = [a, b].map(({ token, deviceId }) => new SocketIoClient(token, deviceId));
    members.push(clients);
    for (const client of clients) await client.open(target);
  }
  return { conversations, members };
}

try {
  const world = await makeWorld();
  note(`${pairs} pairs are connected; sending ${rate} messages per second for ${seconds} s ...`);
  const startedAt = new Date().toISOString();
  // What the server's processes use cannot be seen from here.
  const subject = { usage: () => ({ at: performance.now(), server: 0, database: 0 }), residentKiB: 0 };
  const { cpuPer1000: _, residentMiB: __, ...figures } = await new Traffic(subject, world).open(rate, seconds);
  const finishedAt = new Date().toISOString();
  const clients = world.members.flat();
  const dropped = clients.filter((client) => client.dropped).length;
  for (const client of clients) client.close();
  process.stdout.write(`${JSON.stringify({ startedAt, finishedAt, figures: { ...figures, dropped } })}\n`);
} catch (error) {
  note(error.message);
  process.exitCode = 1;
} finally {
  note(`erasing ${people.length} people ...`);
  for (const { password, token } of people)
    await call('DELETE', '/users/me', { password, erase: true }, token).catch((error) => note(error.message));
}
