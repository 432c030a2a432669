import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../support/app.js';
import { connect, type Person, register } from '../support/people.js';

let app: TestApp;
let ada: Person;
let eve: Person;
beforeAll(async () => {
  app = await createTestApp();
  [ada, eve] = [await register(app.url, 'Ada'), await register(app.url, 'Eve')];
});
afterAll(() => app.close());

type Items = { items: Record<string, unknown>[] };
const listed = async (person: Person, path: string): Promise<Record<string, unknown>[]> =>
  (await person.get<Items>(path)).body.items;

// What is not theirs must stay as it is, whatever strangers are answered.
describe('an id of somebody else', () => {
  it('takes no notification away', async () => {
    await eve.put(`/api/v1/users/me/contacts/${ada.id}`);
    let notices: Record<string, unknown>[] = [];
    while (notices.length === 0) notices = await listed(ada, '/api/v1/notifications');
    const id = String(notices[0]?.['id']);
    expect(await eve.delete(`/api/v1/notifications/${id}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect((await eve.post('/api/v1/notifications/read', { ids: [id] })).status).toBe(200);
    expect(await listed(ada, '/api/v1/notifications?unread=true')).toEqual(notices);
    for (const _ of ['once', 'again']) expect((await ada.delete(`/api/v1/notifications/${id}`)).status).toBe(204);
  });

  it('takes no device away', async () => {
    const device = { provider: 'webhook', platform: 'web', token: `token-${randomUUID()}` };
    const deviceId = randomUUID();
    expect((await ada.put(`/api/v1/devices/${deviceId}`, device)).status).toBe(422);
    const { publicKey } = await keys();
    const subscription = { endpoint: 'https://push.example/1', keys: { p256dh: publicKey, auth: 'A'.repeat(22) } };
    expect(
      await ada.put(`/api/v1/devices/${deviceId}`, { provider: 'webpush', platform: 'web', subscription }),
    ).toMatchObject({ status: 200 });
    expect((await eve.delete(`/api/v1/devices/${deviceId}`)).status).toBe(204);
    expect((await eve.post(`/api/v1/devices/${deviceId}/test`)).status).toBe(404);
    expect(await listed(ada, '/api/v1/devices')).toMatchObject([{ deviceId }]);
    expect(await listed(eve, '/api/v1/devices')).toEqual([]);
  });

  it('lifts no block and ends no contact of others', async () => {
    const other = await register(app.url);
    await ada.put(`/api/v1/users/me/blocks/${other.id}`);
    await ada.put(`/api/v1/users/me/contacts/${eve.id}`);
    await eve.delete(`/api/v1/users/me/blocks/${other.id}`);
    await eve.delete(`/api/v1/users/me/contacts/${eve.id}`);
    expect(await listed(ada, '/api/v1/users/me/blocks')).toMatchObject([{ id: other.id }]);
    expect(await listed(ada, '/api/v1/users/me/contacts')).toMatchObject([{ id: eve.id }]);
  });
});

describe('a page of another origin', () => {
  const evil = { origin: 'https://evil.example' };
  const allowed = (headers: Headers) => [...headers.keys()].filter((name) => name.startsWith('access-control-'));

  it('is told nothing that would let a browser read an answer or send a token', async () => {
    expect(allowed((await ada.get('/api/v1/users/me', evil)).headers)).toEqual([]);
    const preflight = await fetch(`${app.url}/api/v1/users/me`, {
      method: 'OPTIONS',
      headers: { ...evil, 'access-control-request-method': 'GET', 'access-control-request-headers': 'authorization' },
    });
    expect(allowed(preflight.headers)).toEqual([]);
  });

  it('is let in where it is configured, and no other, nor with credentials', async () => {
    const open = await createTestApp({ CORS_ORIGINS: 'https://app.example' }, { databaseUrl: app.databaseUrl });
    const originOf = async (origin: string) => {
      const { headers } = await fetch(`${open.url}/api/v1/users/me`, { headers: { origin } });
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      return headers.get('access-control-allow-origin');
    };
    expect(await originOf('https://app.example')).toBe('https://app.example');
    for (const origin of ['https://evil.example', 'https://app.example.evil.example', 'http://app.example', 'null'])
      expect(await originOf(origin)).toBeNull();
    await open.close();
  });
});

describe('a socket', () => {
  it('joins no room by its name, and hears nothing of it', async () => {
    const { body } = await ada.post<{ id: string }>('/api/v1/conversations', {
      type: 'group',
      title: 'Private',
      memberIds: [],
    });
    const [mine, hers] = [await connect(ada), await connect(eve)];
    for (const event of ['join', 'subscribe', 'room.join', 'presence', 'change', 'ready'])
      expect(await hers.emit(event, body.id)).toMatchObject({ ok: false, error: { code: 'unknown_event' } });
    await ada.post(`/api/v1/conversations/${body.id}/messages`, { clientId: randomUUID(), body: 'secret' });
    await mine.until<{ t: string }>('change', ({ t }) => t === 'message');
    expect((await hers.emit('sync', {})).ok).toBe(true);
    expect(JSON.stringify(hers.events)).not.toContain('secret');
    for (const connection of [mine, hers]) connection.close();
  });

  it('whose session has ended does not come back, by recovery or otherwise', async () => {
    const person = await register(app.url);
    const connection = await connect(person);
    const { io } = connection.socket;
    await person.post('/api/v1/auth/logout');
    await connection.until('session.revoked');
    expect(connection.socket.recovered ?? false).toBe(false);
    await expect(connect(person)).rejects.toThrow('session_revoked');
    io._close();
  });
});

async function keys(): Promise<{ publicKey: string }> {
  const { createECDH } = await import('node:crypto');
  const curve = createECDH('prime256v1');
  curve.generateKeys();
  return { publicKey: curve.getPublicKey('base64url') };
}
