import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { type Person, register } from '../../support/people.js';

let app: TestApp;
let api: HttpClient;
beforeAll(async () => {
  app = await createTestApp();
  api = new HttpClient(app.url);
});
afterAll(() => app.close());

interface Tokens {
  accessToken: string;
  refreshToken: string;
  sessionId: string;
}
const refresh = (refreshToken: string) =>
  api.post<Tokens & { code?: string }>('/api/v1/auth/refresh', { refreshToken });
const meStatus = async (token: string) => (await new HttpClient(app.url, token).get('/api/v1/users/me')).status;
/** Moves the rotation of every token of a session into the past. */
const age = (sessionId: string, seconds: number) =>
  query(
    `UPDATE refresh_tokens SET rotated_at = rotated_at - make_interval(secs => $2) WHERE session_id = $1`,
    [sessionId, seconds],
    app.databaseUrl,
  );

describe('refresh', () => {
  let person: Person;
  beforeEach(async () => {
    person = await register(app.url);
  });

  it('rotates: new tokens of the same session, which work', async () => {
    const { status, body } = await refresh(person.refreshToken);
    expect(status).toBe(200);
    expect(body.sessionId).toBe(person.sessionId);
    expect(body.refreshToken).not.toBe(person.refreshToken);
    expect(await meStatus(body.accessToken)).toBe(200);
    expect((await refresh(body.refreshToken)).status).toBe(200);
  });

  it('repeats once for an answer that was lost', async () => {
    await refresh(person.refreshToken);
    const repeated = await refresh(person.refreshToken);
    expect(repeated.status).toBe(200);
    expect((await refresh(repeated.body.refreshToken)).status).toBe(200);
  });

  it('does not repeat twice', async () => {
    await refresh(person.refreshToken);
    await refresh(person.refreshToken);
    expect(await refresh(person.refreshToken)).toMatchObject({ status: 401, body: { code: 'refresh_reused' } });
  });

  it('does not repeat once the successor was used, and ends the session', async () => {
    const { body } = await refresh(person.refreshToken);
    const third = await refresh(body.refreshToken);
    expect(await refresh(person.refreshToken)).toMatchObject({ status: 401, body: { code: 'refresh_reused' } });
    expect(await refresh(third.body.refreshToken)).toMatchObject({ status: 401, body: { code: 'refresh_invalid' } });
    expect(await meStatus(third.body.accessToken)).toBe(401);
  });

  it('does not repeat after ten seconds', async () => {
    const { body } = await refresh(person.refreshToken);
    await age(person.sessionId, 11);
    expect(await refresh(person.refreshToken)).toMatchObject({ status: 401, body: { code: 'refresh_reused' } });
    expect(await meStatus(body.accessToken)).toBe(401);
  });

  it('finds out who presents the successor that a repeat replaced', async () => {
    const stolen = await refresh(person.refreshToken);
    const repeated = await refresh(person.refreshToken);
    expect(await refresh(stolen.body.refreshToken)).toMatchObject({ status: 401, body: { code: 'refresh_reused' } });
    expect(await refresh(repeated.body.refreshToken)).toMatchObject({ status: 401, body: { code: 'refresh_invalid' } });
  });

  it('of many at once lets two through: the first and the one repeat', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(person.refreshToken)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(2);
    expect(answers.filter(({ body }) => body.code === 'refresh_reused')).toHaveLength(1);
  });

  it('writes a reuse into the security feed', async () => {
    await refresh(person.refreshToken);
    await age(person.sessionId, 11);
    await refresh(person.refreshToken);
    const again = await api.post<{ tokens: Tokens }>('/api/v1/auth/login', {
      identifier: person.identifier,
      password: person.password,
    });
    const feed = await new HttpClient(app.url, again.body.tokens.accessToken).get<{ items: { kind: string }[] }>(
      '/api/v1/users/me/activity',
    );
    expect(feed.body.items.map(({ kind }) => kind)).toEqual(['login', 'refresh_reused', 'registered']);
  });

  it('refuses an expired, an unknown and a malformed token', async () => {
    await query(
      `UPDATE refresh_tokens SET expires_at = now() WHERE session_id = $1`,
      [person.sessionId],
      app.databaseUrl,
    );
    expect(await refresh(person.refreshToken)).toMatchObject({ status: 401, body: { code: 'refresh_invalid' } });
    for (const none of ['A'.repeat(43), 'x', 'with blanks and \0'])
      expect(await refresh(none)).toMatchObject({ status: 401, body: { code: 'refresh_invalid' } });
  });
});

describe('sessions', () => {
  const login = async ({ identifier, password }: Person) => {
    const { body } = await api.post<{ tokens: Tokens }>('/api/v1/auth/login', {
      identifier,
      password,
      device: { name: 'Laptop', platform: 'desktop' },
    });
    return { ...body.tokens, api: new HttpClient(app.url, body.tokens.accessToken) };
  };

  it('are listed, the present one marked, under both paths', async () => {
    const person = await register(app.url);
    const laptop = await login(person);
    const { body } = await laptop.api.get<{ items: Record<string, unknown>[] }>('/api/v1/auth/sessions');
    expect(body.items).toEqual([
      expect.objectContaining({
        id: laptop.sessionId,
        name: 'Laptop',
        platform: 'desktop',
        kind: 'builtin',
        current: true,
      }),
      expect.objectContaining({ id: person.sessionId, current: false }),
    ]);
    expect((await laptop.api.get('/api/sessions')).body).toEqual(body);
  });

  it('end one by one, all others at once, and by logout', async () => {
    const person = await register(app.url);
    const [a, b, c] = [await login(person), await login(person), await login(person)];
    for (const _ of ['once', 'again'])
      expect((await a.api.delete(`/api/v1/auth/sessions/${b.sessionId}`)).status).toBe(204);
    expect(await b.api.get('/api/v1/users/me')).toMatchObject({ status: 401, body: { code: 'session_revoked' } });
    expect((await a.api.delete('/api/v1/auth/sessions')).status).toBe(204);
    expect(await meStatus(c.accessToken)).toBe(401);
    expect(await meStatus(person.accessToken)).toBe(401);
    expect((await a.api.post('/api/v1/auth/logout')).status).toBe(204);
    expect(await meStatus(a.accessToken)).toBe(401);
    expect(await refresh(a.refreshToken)).toMatchObject({ body: { code: 'refresh_invalid' } });
  });

  it('of others cannot be seen or ended', async () => {
    const [ada, bob] = [await register(app.url), await register(app.url)];
    expect(await bob.delete(`/api/v1/auth/sessions/${ada.sessionId}`)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect(await bob.delete(`/api/v1/auth/sessions/${randomUUID()}`)).toMatchObject({ status: 404 });
    expect(await bob.delete('/api/v1/auth/sessions/1')).toMatchObject({
      status: 400,
      body: { code: 'validation_failed' },
    });
    expect(await meStatus(ada.accessToken)).toBe(200);
  });

  it('that end on one replica end on the other within five seconds', async () => {
    const other = await createTestApp({}, { databaseUrl: app.databaseUrl });
    try {
      const person = await register(app.url);
      const there = new HttpClient(other.url, person.accessToken);
      expect((await there.get('/api/v1/users/me')).status).toBe(200);
      await person.post('/api/v1/auth/logout');
      const limit = Date.now() + 10_000;
      let status = 200;
      while (status === 200 && Date.now() < limit) ({ status } = await there.get('/api/v1/users/me'));
      expect(status).toBe(401);
    } finally {
      await other.close();
    }
  });
});
