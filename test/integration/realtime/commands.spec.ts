import { newId } from '../../../src/platform/clock/clock.js';
import { useDatabase } from '../../support/database.js';
import type { Connection } from '../../support/people.js';
import { type Replica, startReplica } from './replica.js';
import { World } from './world.js';

const database = useDatabase();
const user = newId();
let replica: Replica;
let client: Connection;
beforeAll(async () => {
  replica = await startReplica(database.url, new World());
  client = await replica.connect(user);
});
afterAll(async () => {
  client.close();
  await replica.close();
});

const refusal = async (event: string, payload?: unknown) => {
  const ack = await client.emit(event, payload);
  if (ack.ok) throw new Error('accepted');
  return ack.error;
};

describe('a command', () => {
  it('answers its data, as the actor of the socket', async () => {
    expect(await client.emit('test.echo', { text: 'hi' })).toEqual({ ok: true, data: { text: 'hi', userId: user } });
  });

  it.each([
    ['a missing member', 'test.echo', {}, 'text'],
    ['a wrong type', 'test.echo', { text: 5 }, 'text'],
    ['an unknown member', 'test.echo', { text: 'x', more: 1 }, ''],
    ['no payload', 'test.echo', undefined, ''],
    ['an array', 'test.echo', ['x'], ''],
  ])('with %s is refused with the path', async (_, event, payload, path) => {
    expect(await refusal(event, payload)).toMatchObject({
      code: 'validation_failed',
      status: 400,
      instance: event,
      errors: [{ path }],
    });
  });

  it('with two payloads is refused', async () => {
    expect(await client.socket.timeout(5000).emitWithAck('test.echo', { text: 'a' }, { text: 'b' })).toMatchObject({
      ok: false,
      error: { code: 'validation_failed' },
    });
  });

  it('that does not exist says so', async () => {
    expect(await refusal('no.such', {})).toMatchObject({ code: 'unknown_event', status: 400 });
    expect(await refusal('constructor', {})).toMatchObject({ code: 'unknown_event' });
  });

  it('that is refused gets the same problem object as over REST', async () => {
    expect(await refusal('test.refuse', {})).toEqual({
      type: 'urn:parley:problem:role_insufficient',
      title: 'Your role does not allow this',
      status: 403,
      detail: 'Your role does not allow this',
      instance: 'test.refuse',
      code: 'role_insufficient',
      requestId: expect.stringMatching(/^[\w-]{8,}$/) as string,
      errors: [],
    });
  });

  it('that fails says nothing of the reason', async () => {
    const error = await refusal('test.break', {});
    expect(error).toMatchObject({ code: 'internal_error', status: 500 });
    expect(JSON.stringify(error)).not.toContain('secret');
  });

  it('without an ack is served silently', async () => {
    client.socket.emit('no.such', {});
    client.socket.emit('test.echo', { text: 'x' });
    client.socket.emit('test.break', {});
    expect(await client.emit('test.echo', { text: 'still here' })).toMatchObject({ ok: true });
  });
});

describe('auth.refresh', () => {
  it('extends the socket by a token of the same session', async () => {
    const sessionId = newId();
    const other = await replica.connect(user, sessionId);
    expect(await other.emit('auth.refresh', { token: await replica.token(user, sessionId) })).toMatchObject({
      ok: true,
      data: { expiresAt: expect.stringMatching(/Z$/) as string },
    });
    other.close();
  });

  it('refuses a token of another user, another session, and nonsense', async () => {
    for (const token of [await replica.token(newId()), await replica.token(user), 'nonsense']) {
      expect(await refusal('auth.refresh', { token })).toMatchObject({ code: 'unauthenticated' });
    }
  });
});

describe('a client out of bounds', () => {
  it('is closed after a frame above the limit', async () => {
    const other = await replica.connect(user);
    const closed = new Promise<unknown>((resolve) =>
      other.socket.once('disconnect', (_reason, description) => resolve(description)),
    );
    other.socket.emit('test.echo', { text: 'x'.repeat(200_000) });
    expect(await closed).toMatchObject({ context: { code: 1009 } });
  });

  it('is closed after a packet nobody can read', async () => {
    const other = await replica.connect(user);
    const closed = new Promise((resolve) => other.socket.once('disconnect', resolve));
    (other.socket.io.engine as unknown as { write(text: string): void }).write('2/v1,{"broken');
    await closed;
    expect(await client.emit('test.echo', { text: 'x' })).toMatchObject({ ok: true });
  });

  it('is refused above its rate, and disconnected after 50 refusals', async () => {
    const strict = await startReplica(database.url, new World(), { RATE_SCALE: '1', RATE_SOCKET: '1/60/5' });
    const flood = await strict.connect(user);
    const closed = new Promise((resolve) => flood.socket.once('disconnect', resolve));
    const acks = await Promise.all(Array.from({ length: 55 }, () => flood.emit('test.echo', { text: 'x' })));
    expect(acks.map((ack) => (ack.ok ? 'ok' : ack.error.code))).toEqual([
      ...Array<string>(5).fill('ok'),
      ...Array<string>(50).fill('rate_limited'),
    ]);
    expect(acks.at(-1)).toMatchObject({
      error: { status: 429, rule: 'socket', retryAfterMs: expect.any(Number) as number },
    });
    await closed;
    await strict.close();
  });
});
