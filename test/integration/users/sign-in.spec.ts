import { randomUUID } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { register } from '../../support/people.js';

const password = 'correct horse battery';
let app: TestApp;
let api: HttpClient;
beforeAll(async () => {
  app = await createTestApp();
  api = new HttpClient(app.url);
});
afterAll(() => app.close());

const newEmail = () => `${randomUUID()}@example.com`;

describe('registration', () => {
  it('answers the account and tokens that work at once', async () => {
    const identifier = newEmail();
    const { status, body } = await api.post<{ user: Record<string, unknown>; tokens: Record<string, string> }>(
      '/api/v1/auth/register',
      {
        identifier,
        password,
        displayName: '  Ada Lovelace ',
        handle: 'ada.l',
        device: { name: 'Phone', platform: 'ios' },
      },
    );
    expect(status).toBe(201);
    expect(body.user).toMatchObject({
      handle: 'ada.l',
      displayName: 'Ada Lovelace',
      email: identifier,
      phone: null,
      emailVerified: false,
      state: 'active',
      roles: ['user'],
      permissions: [],
      rev: 1,
    });
    // Every member that leaves the server, so that none slips out unseen.
    expect(Object.keys(body.user).toSorted().join(' ')).toBe(
      'avatarMediaId bio createdAt displayName email emailVerified handle id isBlocked isContact isOnline lastSeen locale permissions phone phoneVerified rev roles state timeZone updatedAt',
    );
    const token = body.tokens['accessToken'] ?? '';
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
    expect(decodeJwt(token)).toMatchObject({ sub: body.user['id'], sid: body.tokens['sessionId'], aud: 'parley' });
    const me = await new HttpClient(app.url, token).get('/api/v1/users/me');
    expect(me.status).toBe(200);
    expect(me.body).toMatchObject({ id: body.user['id'], displayName: 'Ada Lovelace' });
  });

  it('stores neither password nor refresh token readably', async () => {
    const person = await register(app.url);
    const rows = await query<{ row: string }>(
      `SELECT row_to_json(x)::text AS row FROM (SELECT * FROM users, refresh_tokens) x`,
      [],
      app.databaseUrl,
    );
    const dump = JSON.stringify(rows);
    expect(dump).not.toContain(person.password);
    expect(dump).not.toContain(person.refreshToken);
    expect(dump).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
  });

  it('takes one identifier once, in whatever capitals, and says which member is taken', async () => {
    const identifier = newEmail();
    const handle = `h${randomUUID().slice(0, 8)}`;
    await api.post('/api/v1/auth/register', { identifier, password, displayName: 'One', handle });
    const again = await api.post('/api/v1/auth/register', {
      identifier: identifier.toUpperCase(),
      password,
      displayName: 'Two',
    });
    expect(again).toMatchObject({ status: 409, body: { code: 'already_exists', errors: [{ path: 'identifier' }] } });
    const sameHandle = await api.post('/api/v1/auth/register', {
      identifier: newEmail(),
      password,
      displayName: 'Two',
      handle,
    });
    expect(sameHandle).toMatchObject({ status: 409, body: { code: 'already_exists', errors: [{ path: 'handle' }] } });
  });

  it('lets one of ten simultaneous registrations of one identifier through', async () => {
    const identifier = newEmail();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => api.post('/api/v1/auth/register', { identifier, password, displayName: 'Ten' })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
  });

  const bad: [string, Record<string, unknown>, string, string][] = [
    ['a number for a name', { displayName: 7 }, 'displayName', 'invalid_type'],
    ['a blank name', { displayName: ' \u3000 ' }, 'displayName', 'too_short'],
    ['an invisible name', { displayName: '\u200b\u200d' }, 'displayName', 'too_short'],
    ['a name of 65 characters', { displayName: 'x'.repeat(65) }, 'displayName', 'too_long'],
    ['NUL in a name', { displayName: 'A\u0000da' }, 'displayName', 'control_character'],
    ['a line break in a name', { displayName: 'A\nda' }, 'displayName', 'control_character'],
    ['a direction override in a name', { displayName: 'Ada\u202Egpj' }, 'displayName', 'control_character'],
    ['half a surrogate pair in a name', { displayName: 'A\ud800' }, 'displayName', 'malformed_text'],
    ['a short password', { password: '1234567' }, 'password', 'too_short'],
    ['a password of 129 characters', { password: 'x'.repeat(129) }, 'password', 'too_long'],
    ['NUL in a password', { password: 'password\u0000' }, 'password', 'control_character'],
    ['no identifier', { identifier: undefined }, 'identifier', 'invalid_type'],
    ['a name as identifier', { identifier: 'ada' }, 'identifier', 'invalid_identifier'],
    ['a local phone number', { identifier: '030123456' }, 'identifier', 'invalid_identifier'],
    ['a Cyrillic look-alike mailbox', { identifier: 'аda@example.com' }, 'identifier', 'invalid_identifier'],
    ['a line break in an address', { identifier: 'a@example.com\nb@example.com' }, 'identifier', 'invalid_identifier'],
    ['a handle with a Cyrillic a', { handle: 'аda' }, 'handle', 'invalid_format'],
    ['a full-width handle', { handle: 'ａda' }, 'handle', 'invalid_format'],
    ['a handle in capitals', { handle: 'Ada' }, 'handle', 'invalid_format'],
    ['a handle with a trailing blank', { handle: 'ada ' }, 'handle', 'invalid_format'],
    ['a handle with a trailing line break', { handle: 'ada\n' }, 'handle', 'invalid_format'],
    ['a handle of two', { handle: 'ad' }, 'handle', 'invalid_format'],
    ['a handle of 33', { handle: 'a'.repeat(33) }, 'handle', 'invalid_format'],
    ['an unknown platform', { device: { platform: 'toaster' } }, 'device.platform', 'invalid_value'],
    ['a device id with NUL', { device: { deviceId: 'a\u0000' } }, 'device.deviceId', 'invalid_format'],
    ['a role', { role: 'admin' }, '', 'unrecognized_keys'],
    ['isAdmin', { isAdmin: true }, '', 'unrecognized_keys'],
    ['an id', { id: randomUUID() }, '', 'unrecognized_keys'],
  ];
  it.each(bad)('refuses %s', async (_what, fault, path, code) => {
    const answer = await api.post('/api/v1/auth/register', {
      identifier: newEmail(),
      password,
      displayName: 'Ada',
      ...fault,
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ path, code }] } });
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('is refused when closed', async () => {
    const closed = await createTestApp({ AUTH_REGISTRATION: 'closed' }, { databaseUrl: app.databaseUrl });
    try {
      const answer = await new HttpClient(closed.url).post('/api/v1/auth/register', {
        identifier: newEmail(),
        password,
        displayName: 'Ada',
      });
      expect(answer).toMatchObject({ status: 403, body: { code: 'registration_closed' } });
    } finally {
      await closed.close();
    }
  });
});

describe('login', () => {
  it('accepts the password however its letters are composed', async () => {
    const identifier = newEmail();
    await api.post('/api/v1/auth/register', { identifier, password: 'Caf\u00e9 au lait', displayName: 'Zo\u00eb' });
    const decomposed = await api.post('/api/v1/auth/login', {
      identifier: ` ${identifier.toUpperCase()} `,
      password: 'Cafe\u0301 au lait',
    });
    expect(decomposed.status).toBe(200);
  });

  it('answers an unknown account and a wrong password alike', async () => {
    const { identifier } = await register(app.url);
    const strip = ({ status, body }: { status: number; body: Record<string, unknown> }) => ({
      status,
      ...body,
      requestId: '',
    });
    const wrong = await api.post('/api/v1/auth/login', { identifier, password: 'not the password' });
    const unknown = await api.post('/api/v1/auth/login', { identifier: newEmail(), password: 'not the password' });
    expect(strip(wrong)).toEqual(strip(unknown));
    expect(wrong).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
  });

  it('tells a suspended account so only to who knows the password', async () => {
    const { id, identifier, password: right, ...person } = await register(app.url);
    await query(`UPDATE users SET state = 'suspended' WHERE id = $1`, [id], app.databaseUrl);
    expect(await api.post('/api/v1/auth/login', { identifier, password: right })).toMatchObject({
      status: 403,
      body: { code: 'account_suspended' },
    });
    expect(await api.post('/api/v1/auth/login', { identifier, password: 'guess guess' })).toMatchObject({
      body: { code: 'invalid_credentials' },
    });
    expect(await api.post('/api/v1/auth/refresh', { refreshToken: person.refreshToken })).toMatchObject({
      status: 403,
      body: { code: 'account_suspended' },
    });
    // Suspending by the admin's route ends the sessions too.
    await query(`UPDATE user_sessions SET revoked_at = now() WHERE user_id = $1`, [id], app.databaseUrl);
    expect(await api.post('/api/v1/auth/refresh', { refreshToken: person.refreshToken })).toMatchObject({
      status: 403,
      body: { code: 'account_suspended' },
    });
    await query(`UPDATE users SET suspended_until = now() - interval '1 second' WHERE id = $1`, [id], app.databaseUrl);
    expect((await api.post('/api/v1/auth/login', { identifier, password: right })).status).toBe(200);
  });

  it('of an account that is deleted meanwhile is refused like a wrong password, and leaves nothing behind', async () => {
    const { id, identifier, password: right } = await register(app.url);
    // Between the look at the password and the note of the login.
    await query(
      `CREATE FUNCTION leave_now() RETURNS trigger AS $$ BEGIN
         UPDATE users SET state = 'deleted', deleted_at = now() WHERE id = NEW.user_id; RETURN NEW; END $$ LANGUAGE plpgsql;
       CREATE TRIGGER leave_now BEFORE INSERT ON user_sessions FOR EACH ROW EXECUTE FUNCTION leave_now()`,
      [],
      app.databaseUrl,
    );
    try {
      expect(await api.post('/api/v1/auth/login', { identifier, password: right })).toMatchObject({
        status: 401,
        body: { code: 'invalid_credentials' },
      });
    } finally {
      await query('DROP TRIGGER leave_now ON user_sessions; DROP FUNCTION leave_now()', [], app.databaseUrl);
    }
    const sessions = await query('SELECT 1 FROM user_sessions WHERE user_id = $1', [id], app.databaseUrl);
    expect(sessions).toHaveLength(1);
    expect((await api.post('/api/v1/auth/login', { identifier, password: right })).status).toBe(200);
  });

  it('hashes an old password again with the costs of today', async () => {
    const { id, identifier, password: right } = await register(app.url);
    const { hash } = await import('@node-rs/argon2');
    await query(
      `UPDATE users SET password = $2 WHERE id = $1`,
      [id, await hash(right, { memoryCost: 4096, timeCost: 1 })],
      app.databaseUrl,
    );
    expect((await api.post('/api/v1/auth/login', { identifier, password: right })).status).toBe(200);
    const [row] = await query<{ password: string }>(`SELECT password FROM users WHERE id = $1`, [id], app.databaseUrl);
    expect(row?.password).toContain('m=19456,t=2,p=1');
    expect((await api.post('/api/v1/auth/login', { identifier, password: right })).status).toBe(200);
  });

  it('replaces the session of the same device', async () => {
    const person = await register(app.url);
    const device = { deviceId: 'phone-1' };
    const credentials = { identifier: person.identifier, password: person.password, device };
    const first = await api.post<{ tokens: { accessToken: string } }>('/api/v1/auth/login', credentials);
    const second = await api.post<{ tokens: { accessToken: string; deviceId: string } }>(
      '/api/v1/auth/login',
      credentials,
    );
    expect(second.body.tokens.deviceId).toBe('phone-1');
    const old = await new HttpClient(app.url, first.body.tokens.accessToken).get('/api/v1/users/me');
    expect(old).toMatchObject({ status: 401, body: { code: 'session_revoked' } });
    const list = await new HttpClient(app.url, second.body.tokens.accessToken).get<{ items: { deviceId: string }[] }>(
      '/api/v1/auth/sessions',
    );
    expect(list.body.items.filter(({ deviceId }) => deviceId === 'phone-1')).toHaveLength(1);
  });
});
