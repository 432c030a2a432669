import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../support/app.js';
import { query } from '../support/database.js';
import { HttpClient } from '../support/http-client.js';
import { type Person, register } from '../support/people.js';

describe('Idempotency-Key', () => {
  let parley: TestApp;
  let second: TestApp;
  let ada: Person;
  let ben: Person;

  beforeAll(async () => {
    parley = await createTestApp();
    second = await createTestApp({}, { databaseUrl: parley.databaseUrl });
    [ada, ben] = [await register(parley.url, 'Ada'), await register(parley.url, 'Ben')];
  });
  afterAll(async () => {
    await second.close();
    await parley.close();
  });

  const group = () => ({ type: 'group', title: 'Team', memberIds: [ben.id] });

  it('answers the stored result to the same key and body, on any replica', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const first = await ada.post('/api/v1/conversations', group(), key);
    expect(first.status).toBe(201);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    const elsewhere = new HttpClient(second.url, ada.accessToken);
    for (const client of [ada, elsewhere]) {
      const again = await client.post('/api/v1/conversations', group(), key);
      expect(again).toMatchObject({ status: 201, body: { id: first.body['id'] } });
      expect(again.headers.get('idempotency-replayed')).toBe('true');
    }
  });

  it('lets one of many at once through', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ada.post('/api/v1/conversations', group(), key)),
    );
    const made = new Set(answers.filter(({ status }) => status === 201).map(({ body }) => body['id']));
    expect(made.size).toBe(1);
    for (const { status, body } of answers) if (status !== 201) expect(body['code']).toBe('idempotency_in_progress');
  });

  it('refuses another body under the same key, and keys of different people apart', async () => {
    const key = { 'idempotency-key': randomUUID() };
    await ada.post('/api/v1/conversations', group(), key);
    expect(await ada.post('/api/v1/conversations', { ...group(), title: 'Other' }, key)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_key_mismatch' },
    });
    const bens = await ben.post('/api/v1/conversations', { type: 'group', title: 'Mine', memberIds: [ada.id] }, key);
    expect(bens.status).toBe(201);
  });

  it('repeats a refusal too', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const body = { type: 'direct', memberIds: [randomUUID()] };
    const [first, again] = [
      await ada.post('/api/v1/conversations', body, key),
      await ada.post('/api/v1/conversations', body, key),
    ];
    expect(first.status).toBeGreaterThanOrEqual(400);
    expect(again).toMatchObject({ status: first.status, body: { code: first.body['code'] } });
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('keeps what it stores sealed, and refuses a key that is none', async () => {
    const identifier = `${randomUUID()}@example.com`;
    const input = { identifier, password: 'password-4711', displayName: 'Carl' };
    const anonymous = new HttpClient(parley.url);
    const key = { 'idempotency-key': randomUUID() };
    const { body } = await anonymous.post<{ tokens: { refreshToken: string } }>('/api/v1/auth/register', input, key);
    expect((await anonymous.post('/api/v1/auth/register', input, key)).body).toEqual(body);
    const rows = await query('SELECT * FROM idempotency_keys', [], parley.databaseUrl);
    expect(JSON.stringify(rows)).not.toContain(body.tokens.refreshToken);
    expect(await ada.post('/api/v1/conversations', group(), { 'idempotency-key': 'x'.repeat(129) })).toMatchObject({
      status: 400,
      body: { code: 'validation_failed' },
    });
  });
});
