import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../support/app.js';
import { cloneDatabase, type TestDatabase } from '../support/database.js';
import { connect, register } from '../support/people.js';

interface Message {
  id: string;
  seq: number;
  body: string;
  senderId: string;
  clientId: string;
}
interface Sent {
  message: Message;
  deduplicated: boolean;
}

describe('the first conversation', () => {
  let database: TestDatabase;
  let parley: TestApp;

  beforeAll(async () => {
    database = await cloneDatabase();
    parley = await createTestApp({}, { databaseUrl: database.url });
  });
  afterAll(async () => {
    await parley.close();
    await database.drop();
  });

  it('runs from two registrations to a message that survives a restart', async () => {
    const [ada, ben, eve] = await Promise.all([
      register(parley.url, 'Ada'),
      register(parley.url, 'Ben'),
      register(parley.url, 'Eve'),
    ]);
    const created = await ada.post<{ id: string; type: string }>('/api/v1/conversations', {
      type: 'direct',
      memberIds: [ben.id],
    });
    expect(created).toMatchObject({ status: 201, body: { type: 'direct' } });
    const c = created.body.id;
    // The pair is one conversation, whoever asks.
    expect(await ben.post('/api/v1/conversations', { type: 'direct', memberIds: [ada.id] })).toMatchObject({
      status: 200,
      body: { id: c },
    });

    const [adaSocket, benSocket] = [await connect(ada), await connect(ben)];
    const input = { c, clientId: randomUUID(), body: 'Hello Ben! 👋 مرحبا' };
    const ack = await adaSocket.emit<Sent>('message.send', input);
    expect(ack).toMatchObject({
      ok: true,
      data: { deduplicated: false, message: { seq: 1, body: input.body, senderId: ada.id, clientId: input.clientId } },
    });
    const change = await benSocket.until<{ t: string; c: string; rev: number; from: number; v: Message }>(
      'change',
      (x) => x.t === 'message',
    );
    expect(change).toMatchObject({ c, v: { seq: 1, body: input.body } });
    expect(change.from).toBe(change.rev - 1);

    // The same clientId answers the original, by either transport; another content does not pass.
    const original = ack.ok ? ack.data.message.id : '';
    expect(await adaSocket.emit('message.send', input)).toMatchObject({
      ok: true,
      data: { deduplicated: true, message: { id: original } },
    });
    const { c: _, ...rest } = input;
    expect(await ada.post(`/api/v1/conversations/${c}/messages`, rest)).toMatchObject({
      status: 200,
      body: { deduplicated: true, message: { id: original } },
    });
    expect(await ada.post(`/api/v1/conversations/${c}/messages`, { ...rest, body: 'Another' })).toMatchObject({
      status: 409,
      body: { code: 'idempotency_mismatch' },
    });

    expect(await eve.get(`/api/v1/conversations/${c}/messages`)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect(await eve.get(`/api/v1/conversations/${c}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });

    adaSocket.close();
    benSocket.close();
    await parley.app.stop();
    parley = await createTestApp({}, { databaseUrl: database.url });
    const again = Object.assign(Object.create(Object.getPrototypeOf(ben)), ben, { url: parley.url }) as typeof ben;
    const history = await again.get<{ items: Message[] }>(`/api/v1/conversations/${c}/messages`);
    expect(history).toMatchObject({
      status: 200,
      body: { items: [{ id: original, seq: 1, body: input.body }], hasBefore: false },
    });
    // The token made before the restart is still good: keys belong to the installation, not to the process.
    expect((await again.get('/api/v1/users/me')).status).toBe(200);
  });
});
