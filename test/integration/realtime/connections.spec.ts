import { request } from 'node:http';
import { io } from 'socket.io-client';
import { fixClock, newId } from '../../../src/platform/clock/clock.js';
import { useDatabase } from '../../support/database.js';
import { DEVICE, type Replica, startReplica } from './replica.js';
import { World } from './world.js';

const database = useDatabase();
const world = new World();
const user = newId();
let replica: Replica;
beforeAll(async () => {
  replica = await startReplica(database.url, world, { MAX_SOCKETS_PER_USER: '3' });
});
afterAll(() => replica.close());

/** A plain upgrade request, as its HTTP answer. */
function upgrade(url: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number | undefined; headers: NodeJS.Dict<string | string[]>; body: string }>(
    (resolve, reject) => {
      const asked = request(`${url}/socket.io/?EIO=4&transport=websocket`, {
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
          ...headers,
        },
      });
      asked.on('upgrade', (response, socket) => {
        socket.destroy();
        resolve({ status: response.statusCode, headers: response.headers, body: '' });
      });
      asked.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() }),
        );
      });
      asked.on('error', reject);
      asked.end();
    },
  );
}

/** Tries to connect; the connect_error. */
async function refused(
  auth: Record<string, unknown>,
  options: { namespace?: string; query?: Record<string, string> } = {},
) {
  const { namespace = '/v1', query = {} } = options;
  const socket = io(`${replica.url}${namespace}`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth,
    query,
  });
  try {
    return await new Promise<Error & { data?: unknown }>((resolve, reject) => {
      socket.once('connect_error', resolve);
      socket.once('ready', () => reject(new Error('connected')));
    });
  } finally {
    socket.close();
  }
}

describe('ready', () => {
  it('says who, where and how, once', async () => {
    const sessionId = newId();
    const someone = newId();
    world.profile(someone, 'x');
    const client = await replica.connect(someone, sessionId);
    expect(client.ready).toEqual({
      epoch: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      userId: someone,
      deviceId: DEVICE,
      sessionId,
      replicaId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      protocol: 1,
      serverTime: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/) as string,
      userRev: 1,
      limits: {
        messageChars: 8000,
        frameBytes: 131_072,
        attachments: 10,
        mentions: 50,
        pageMax: 100,
        headsMax: 2000,
        watchMax: 200,
      },
      intervals: {
        pingMs: 20_000,
        pongMs: 15_000,
        antiEntropyMs: 5000,
        headsMs: 30_000,
        typingTtlMs: 6000,
        receiptFlushMs: 500,
        presenceBatchMs: 1000,
      },
    });
    expect(client.events.map(({ event }) => event)).toEqual(['ready']);
    client.close();
  });

  it('comes after the rooms are joined', async () => {
    const someone = newId();
    const c = world.conversation(someone);
    const client = await replica.connect(someone);
    expect(replica.rooms.roomSize(c)).toBe(1);
    client.close();
  });

  it('comes to each of many with what is their own', async () => {
    const people = Array.from({ length: 20 }, (_, i) => {
      const id = newId();
      for (let n = 0; n < i; n++) world.profile(id, `${n}`);
      return { id, own: world.conversation(id) };
    });
    const shared = world.conversation(...people.map(({ id }) => id));
    const clients = await Promise.all(people.map(({ id }) => replica.connect(id)));
    expect(clients.map(({ ready }) => [ready['userId'], ready['userRev']])).toEqual(people.map(({ id }, i) => [id, i]));
    expect(replica.rooms.roomSize(shared)).toBe(20);
    for (const { own } of people) expect(replica.rooms.roomSize(own)).toBe(1);
    for (const client of clients) client.close();
  });
});

describe('a handshake is refused', () => {
  const base = async () => ({ token: await replica.token(user), deviceId: DEVICE, protocol: 1 });
  it.each<
    [string, string, (auth: Record<string, unknown>) => Promise<Record<string, unknown>> | Record<string, unknown>]
  >([
    ['without a token', 'unauthenticated', (auth) => ({ ...auth, token: undefined })],
    ['with a broken token', 'unauthenticated', (auth) => ({ ...auth, token: `${String(auth['token'])}x` })],
    ['with another protocol', 'unsupported_protocol', (auth) => ({ ...auth, protocol: 2 })],
    ['without a protocol', 'unsupported_protocol', (auth) => ({ ...auth, protocol: undefined })],
    ['on the device of another session', 'unauthenticated', (auth) => ({ ...auth, deviceId: 'other' })],
    ['without a device', 'unauthenticated', (auth) => ({ ...auth, deviceId: undefined })],
    ['with nothing at all', 'unauthenticated', () => ({})],
    ['with something else than text', 'unauthenticated', (auth) => ({ ...auth, token: 5 })],
  ])('%s: %s', async (_, code, change) => {
    const error = await refused(await change(await base()));
    expect(error.message).toBe(code);
    expect(error.data).toMatchObject({
      code,
      type: `urn:parley:problem:${code}`,
      requestId: expect.any(String) as string,
    });
  });

  it('with the token in the address', async () => {
    const { token, ...auth } = await base();
    expect((await refused(auth, { query: { token } })).message).toBe('unauthenticated');
  });

  it('with an expired token', async () => {
    const token = await replica.token(user);
    const restore = fixClock({ epochMs: () => Date.now() + 601_000 });
    try {
      expect((await refused({ token, deviceId: DEVICE, protocol: 1 })).message).toBe('token_expired');
    } finally {
      restore();
    }
  });

  it('above the number of sockets per user, however many come at once', async () => {
    const someone = newId();
    const tries = await Promise.allSettled(Array.from({ length: 9 }, () => replica.connect(someone)));
    const open = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(open).toHaveLength(3);
    const { reason } = tries.find((one) => one.status === 'rejected') as PromiseRejectedResult;
    expect(reason).toMatchObject({ message: 'limit_exceeded', data: { limit: 'sockets', max: 3 } });
    const gone = new Promise((resolve) => open[0]?.socket.once('disconnect', resolve));
    open[0]?.close();
    await gone;
    // The place is free once the server has noticed.
    for (;;) {
      const again = await replica.connect(someone).catch(() => undefined);
      if (!again) continue;
      again.close();
      break;
    }
    open.forEach((one) => one.close());
  });

  it('in the default namespace', async () => {
    expect((await refused({}, { namespace: '/' })).message).toBe('not_found');
  });

  it('by the connection closing, when no namespace is joined within 10 s', async () => {
    const idle = new WebSocket(`${replica.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    const other = new WebSocket(`${replica.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
    other.onopen = () => other.send('40');
    await Promise.all([idle, other].map((socket) => new Promise((resolve) => (socket.onclose = resolve))));
  });
});

describe('before the upgrade', () => {
  it('another origin gets 403, the own one and programs come in', async () => {
    const answer = await upgrade(replica.url, { Origin: 'https://evil.example' });
    expect(answer.status).toBe(403);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'origin_not_allowed' });
    expect((await upgrade(replica.url, { Origin: replica.url })).status).toBe(101);
    expect((await upgrade(replica.url)).status).toBe(101);
  });

  it('a configured origin comes in', async () => {
    const other = await startReplica(database.url, world, { CORS_ORIGINS: 'https://app.example' });
    expect((await upgrade(other.url, { Origin: 'https://app.example' })).status).toBe(101);
    await other.close();
  });

  it('what exceeds the admission rate gets 503 with Retry-After', async () => {
    const strict = await startReplica(database.url, world, { RATE_SCALE: '1', ADMISSION_RATE: '1/60/2' });
    expect((await upgrade(strict.url)).status).toBe(101);
    expect((await upgrade(strict.url)).status).toBe(101);
    const answer = await upgrade(strict.url);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'overloaded' });
    await strict.close();
  });

  it('an address above its rate gets 429, told apart behind trusted proxies', async () => {
    const strict = await startReplica(database.url, world, {
      RATE_SCALE: '1',
      RATE_HANDSHAKE: '1/60',
      TRUST_PROXY_HOPS: '1',
    });
    const from = (address: string) => upgrade(strict.url, { 'X-Forwarded-For': `6.6.6.6, ${address}` });
    expect((await from('1.1.1.1')).status).toBe(101);
    expect((await from('2.2.2.2')).status).toBe(101);
    expect((await from('1.1.1.1')).status).toBe(429);
    await strict.close();
  });
});

describe('the end of a session', () => {
  it('closes its sockets when the token expires', async () => {
    const client = await replica.connect(newId());
    const reason = new Promise((resolve) => client.socket.once('disconnect', resolve));
    const restore = fixClock({ epochMs: () => Date.now() + 601_000 });
    try {
      expect(await client.until('session.revoked')).toEqual({ reason: 'token_expired' });
      // A namespace disconnect: the client does not come back by itself.
      expect(await reason).toBe('io server disconnect');
    } finally {
      restore();
    }
  });

  it('closes the sockets of that session and no other', async () => {
    const someone = newId();
    const [first, second] = [newId(), newId()];
    const [a, b] = await Promise.all([replica.connect(someone, first), replica.connect(someone, second)]);
    replica.connections.revoke(someone, new Set([first]), 'password_changed');
    expect(await a.until('session.revoked')).toEqual({ reason: 'password_changed' });
    expect(await b.emit('test.echo', { text: 'x' })).toMatchObject({ ok: true });
    b.close();
  });
});

describe('a stop', () => {
  it('refuses new sockets with 503, tells the others and closes their transport', async () => {
    const other = await startReplica(database.url, world);
    const client = await other.connect(newId());
    const reason = new Promise((resolve) => client.socket.once('disconnect', resolve));
    other.connections.refuse();
    const answer = await upgrade(other.url);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'draining' });
    await other.connections.drain(0);
    expect(await client.until('server.draining')).toEqual({ reconnectAfterMs: 0 });
    // Not a namespace disconnect: the client comes back by itself.
    expect(await reason).toBe('transport close');
    await other.close();
  });
});

describe('polling', () => {
  it('is served when configured, and refused in the same words', async () => {
    const polling = await startReplica(database.url, world, { SOCKET_POLLING: 'true' });
    const auth = { token: await polling.token(user), deviceId: DEVICE, protocol: 1 };
    const socket = io(`${polling.url}/v1`, { transports: ['polling'], forceNew: true, reconnection: false, auth });
    await new Promise((resolve) => socket.once('ready', resolve));
    expect(await socket.emitWithAck('test.echo', { text: 'x' })).toMatchObject({ ok: true });
    socket.close();
    polling.connections.refuse();
    const answer = await fetch(`${polling.url}/socket.io/?EIO=4&transport=polling`);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await answer.json()).toMatchObject({ code: 'draining' });
    await polling.close();
  });

  it('is refused by default', async () => {
    expect((await fetch(`${replica.url}/socket.io/?EIO=4&transport=polling`)).status).toBe(400);
  });
});
