import { createHmac, randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { register } from '../../support/people.js';

let app: TestApp;
let api: HttpClient;
beforeAll(async () => {
  app = await createTestApp();
  api = new HttpClient(app.url);
});
afterAll(() => app.close());

const newEmail = () => `${randomUUID()}@example.com`;
const request = (identifier: string, purpose = 'login', by = api) =>
  by.post('/api/v1/auth/otp/request', { identifier, purpose });
const verify = (identifier: string, code: string, purpose = 'login', by = api) =>
  by.post<Record<string, unknown> & { user: { id: string }; tokens: { accessToken: string } }>(
    '/api/v1/auth/otp/verify',
    {
      identifier,
      code,
      purpose,
    },
  );
const inbox = async (identifier: string) =>
  (
    await api.get<{ items: { code: string; purpose: string }[] }>(
      `/api/v1/dev/otp-inbox?identifier=${encodeURIComponent(identifier)}`,
    )
  ).body.items;
const codeFor = async (identifier: string) => (await inbox(identifier))[0]?.code ?? '';
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

describe('signing in with a code', () => {
  it('makes an account for an unknown address, and finds it again', async () => {
    const phone = `+49151${String(Math.floor(Math.random() * 1e8)).padStart(8, '0')}`;
    expect(await request(phone)).toMatchObject({ status: 202, body: { expiresInMs: 300_000 } });
    const first = await verify(phone, await codeFor(phone));
    expect(first).toMatchObject({
      status: 200,
      body: { created: true, user: { phone, phoneVerified: true, email: null } },
    });
    await request(phone);
    const second = await verify(phone, await codeFor(phone));
    expect(second.body).toMatchObject({ created: false, user: { id: first.body.user.id } });
  });

  it('opens once', async () => {
    const email = newEmail();
    await request(email);
    const code = await codeFor(email);
    const answers = await Promise.all(Array.from({ length: 6 }, () => verify(email, code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body['code'] === 'otp_invalid')).toHaveLength(5);
  });

  it('counts parallel guesses on two replicas: the sixth try is refused even when right', async () => {
    const other = await createTestApp({}, { databaseUrl: app.databaseUrl });
    try {
      const email = newEmail();
      await request(email);
      const code = await codeFor(email);
      const there = new HttpClient(other.url);
      const guesses = Array.from({ length: 40 }, (_, i) =>
        verify(email, wrong(code), 'login', i % 2 === 0 ? api : there),
      );
      for (const answer of await Promise.all(guesses))
        expect(answer).toMatchObject({ status: 401, body: { code: 'otp_invalid' } });
      const rows = await query<{ attempts: number }>(
        `SELECT attempts FROM otp_tokens ORDER BY sent_at DESC LIMIT 1`,
        [],
        app.databaseUrl,
      );
      expect(rows).toEqual([{ attempts: 5 }]);
      expect((await verify(email, code)).status).toBe(401);
    } finally {
      await other.close();
    }
  });

  it('does not open with an expired code, one of another purpose, or an earlier one', async () => {
    const email = newEmail();
    await request(email);
    const earlier = await codeFor(email);
    await request(email);
    const latest = await codeFor(email);
    if (earlier !== latest) expect((await verify(email, earlier)).status).toBe(401);
    expect(
      (await api.post('/api/v1/auth/password/reset', { identifier: email, code: latest, newPassword: 'new password' }))
        .status,
    ).toBe(401);
    await query(`UPDATE otp_tokens SET expires_at = now()`, [], app.databaseUrl);
    expect(await verify(email, latest)).toMatchObject({ status: 401, body: { code: 'otp_invalid' } });
  });

  it('locks an identifier after a hundred failures in a row until its password is given', async () => {
    const { identifier, password } = await register(app.url);
    await request(identifier);
    await query(
      `UPDATE otp_tokens SET attempts = 100, expires_at = now() WHERE sent_at = (SELECT max(sent_at) FROM otp_tokens)`,
      [],
      app.databaseUrl,
    );
    const before = (await inbox(identifier)).length;
    expect(await request(identifier)).toMatchObject({ status: 202 });
    expect(await inbox(identifier)).toHaveLength(before);
    await api.post('/api/v1/auth/login', { identifier, password });
    await request(identifier);
    expect((await verify(identifier, await codeFor(identifier))).status).toBe(200);
  });

  it('ends what somebody else prepared: an unproven account keeps neither password nor sessions', async () => {
    const squatter = await register(app.url);
    await request(squatter.identifier);
    const owner = await verify(squatter.identifier, await codeFor(squatter.identifier));
    expect(owner.body).toMatchObject({ created: false, user: { id: squatter.id, emailVerified: true } });
    expect(await squatter.get('/api/v1/users/me')).toMatchObject({ status: 401 });
    const { identifier, password } = squatter;
    expect(await api.post('/api/v1/auth/login', { identifier, password })).toMatchObject({
      status: 401,
      body: { code: 'invalid_credentials' },
    });
  });

  it('is refused to the suspended', async () => {
    const { id, identifier } = await register(app.url);
    await query(`UPDATE users SET state = 'suspended' WHERE id = $1`, [id], app.databaseUrl);
    await request(identifier);
    expect(await verify(identifier, await codeFor(identifier))).toMatchObject({
      status: 403,
      body: { code: 'account_suspended' },
    });
  });

  it('stores no code', async () => {
    const email = newEmail();
    await request(email);
    const rows = await query<{ row: string }>(
      `SELECT row_to_json(t)::text AS row FROM otp_tokens t ORDER BY sent_at DESC LIMIT 1`,
      [],
      app.databaseUrl,
    );
    expect(rows[0]?.row).toContain('code_hash');
    expect(rows[0]?.row).not.toContain(`"${await codeFor(email)}"`);
    expect(rows[0]?.row).not.toContain(email);
  });
});

describe('asking for a code', () => {
  it('answers alike whether there is an account or not', async () => {
    const { identifier } = await register(app.url);
    const [known, unknown] = [await request(identifier, 'reset_password'), await request(newEmail(), 'reset_password')];
    expect([known.status, known.body]).toEqual([unknown.status, unknown.body]);
    expect(await inbox(identifier)).toHaveLength(1);
  });

  it('sends nothing to strangers while registration is closed, and says otp_invalid', async () => {
    const closed = await createTestApp({ AUTH_REGISTRATION: 'closed' }, { databaseUrl: app.databaseUrl });
    try {
      const there = new HttpClient(closed.url);
      const email = newEmail();
      expect((await request(email, 'login', there)).status).toBe(202);
      const { body } = await there.get(`/api/v1/dev/otp-inbox?identifier=${email}`);
      expect(body).toEqual({ items: [] });
      expect(await verify(email, '123456', 'login', there)).toMatchObject({
        status: 401,
        body: { code: 'otp_invalid' },
      });
    } finally {
      await closed.close();
    }
  });

  it.each([
    [{ identifier: 'x', purpose: 'login' }, 'identifier'],
    [{ identifier: 'a@example.com', purpose: 'admin' }, 'purpose'],
    [{ identifier: 'a@example.com', purpose: 'login', userId: '1' }, ''],
  ])('refuses %j', async (input, path) => {
    expect(await api.post('/api/v1/auth/otp/request', input)).toMatchObject({
      status: 400,
      body: { errors: [{ path }] },
    });
  });

  it.each(['12345', '1234567', '12345a', '１２３４５６', '12345\n', 123456])('refuses the code %j', async (code) => {
    const answer = await api.post('/api/v1/auth/otp/verify', { identifier: 'a@example.com', code, purpose: 'login' });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: 'code' }] } });
  });

  it('is limited to three per identifier in a quarter of an hour, over all replicas', async () => {
    // A window so long that it does not end meanwhile.
    const limits = { RATE_SCALE: '1', RATE_OTP: '3/1728000' };
    const first = await createTestApp(limits);
    const second = await createTestApp(limits, { databaseUrl: first.databaseUrl });
    try {
      const email = newEmail();
      const sends = [first, second, first, second].map(({ url }) => request(email, 'login', new HttpClient(url)));
      const answers = await Promise.all(sends);
      expect(answers.filter(({ status }) => status === 202)).toHaveLength(3);
      const refused = answers.find(({ status }) => status === 429);
      expect(refused?.body).toMatchObject({ code: 'rate_limited', rule: 'otp' });
      expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await second.close();
      await first.close();
    }
  });
});

describe('proving an address', () => {
  it('needs a user', async () => {
    expect(await request(newEmail(), 'verify')).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(await verify(newEmail(), '123456', 'verify')).toMatchObject({
      status: 401,
      body: { code: 'unauthenticated' },
    });
  });

  it('sets it on the account, unless another one has it', async () => {
    const person = await register(app.url);
    const email = newEmail();
    await request(email, 'verify', person);
    expect(await verify(email, await codeFor(email), 'verify', person)).toMatchObject({
      status: 200,
      body: { id: person.id, email, emailVerified: true },
    });
    const other = await register(app.url);
    await request(email, 'verify', other);
    expect(await verify(email, await codeFor(email), 'verify', other)).toMatchObject({
      status: 409,
      body: { code: 'already_exists', errors: [{ path: 'identifier' }] },
    });
  });
});

describe('passwords', () => {
  it('change with the old one, ending all other sessions', async () => {
    const person = await register(app.url);
    const { identifier, password } = person;
    const laptop = await api.post<{ tokens: { accessToken: string } }>('/api/v1/auth/login', { identifier, password });
    expect(await person.post('/api/v1/auth/password', { newPassword: 'another password' })).toMatchObject({
      status: 401,
      body: { code: 'invalid_credentials' },
    });
    expect(
      await person.post('/api/v1/auth/password', { currentPassword: 'wrong', newPassword: 'another password' }),
    ).toMatchObject({ status: 401 });
    expect(
      await person.post('/api/v1/auth/password', { currentPassword: password, newPassword: 'short' }),
    ).toMatchObject({ status: 400 });
    expect(
      (await person.post('/api/v1/auth/password', { currentPassword: password, newPassword: 'another password' }))
        .status,
    ).toBe(204);
    expect((await person.get('/api/v1/users/me')).status).toBe(200);
    expect((await new HttpClient(app.url, laptop.body.tokens.accessToken).get('/api/v1/users/me')).status).toBe(401);
    expect((await api.post('/api/v1/auth/login', { identifier, password })).status).toBe(401);
    expect((await api.post('/api/v1/auth/login', { identifier, password: 'another password' })).status).toBe(200);
  });

  it('are set anew with a code, ending all sessions', async () => {
    const person = await register(app.url);
    const { identifier } = person;
    await request(identifier, 'reset_password');
    const reset = { identifier, code: await codeFor(identifier), newPassword: 'brand new password' };
    expect((await api.post('/api/v1/auth/password/reset', reset)).status).toBe(204);
    expect((await api.post('/api/v1/auth/password/reset', reset)).status).toBe(401);
    expect((await person.get('/api/v1/users/me')).status).toBe(401);
    expect((await api.post('/api/v1/auth/login', { identifier, password: 'brand new password' })).status).toBe(200);
  });
});

describe('senders', () => {
  it('in production the log is none: codes answer 503, the inbox 404', async () => {
    const production = await createTestApp(
      { NODE_ENV: 'production', DRAIN_WAIT_MS: '0' },
      { databaseUrl: app.databaseUrl },
    );
    try {
      const there = new HttpClient(production.url);
      expect(await request(newEmail(), 'login', there)).toMatchObject({
        status: 503,
        body: { code: 'dependency_unavailable' },
      });
      expect(await verify(newEmail(), '123456', 'login', there)).toMatchObject({
        status: 503,
        body: { code: 'dependency_unavailable' },
      });
      expect(await there.get('/api/v1/dev/otp-inbox?identifier=a@example.com')).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
    } finally {
      await production.close();
    }
  });

  it('the webhook gets a signed envelope, the same one again after a failure', async () => {
    const received: { body: string; headers: Record<string, string | string[] | undefined> }[] = [];
    let arrived: () => void = () => undefined;
    const twice = new Promise<void>((resolve) => (arrived = resolve));
    const receiver: Server = createServer((incoming, response) => {
      let body = '';
      incoming.setEncoding('utf8').on('data', (part: string) => (body += part));
      incoming.on('end', () => {
        received.push({ body, headers: incoming.headers });
        response.writeHead(received.length === 1 ? 503 : 204).end();
        if (received.length === 2) arrived();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/otp`;
    const hooked = await createTestApp(
      { OTP_SENDER: 'webhook', OTP_WEBHOOK_URL: url, OTP_WEBHOOK_SECRET: 'hook secret' },
      { databaseUrl: app.databaseUrl },
    );
    try {
      const email = newEmail();
      await request(email, 'login', new HttpClient(hooked.url));
      await twice;
      const [first, second] = received;
      expect(second?.body).toBe(first?.body);
      const envelope = JSON.parse(second?.body ?? '') as { data: { code: string } };
      expect(envelope).toMatchObject({
        type: 'otp.send',
        apiVersion: 'v1',
        data: { identifier: email, purpose: 'login' },
      });
      const { 'parley-timestamp': timestamp, 'parley-signature': signature } = second?.headers ?? {};
      const expected = createHmac('sha256', 'hook secret')
        .update(`${String(timestamp)}.${second?.body}`)
        .digest('hex');
      expect(signature).toBe(`v1=${expected}`);
      expect((await verify(email, envelope.data.code, 'login', new HttpClient(hooked.url))).status).toBe(200);
    } finally {
      await hooked.close();
      receiver.close();
    }
  });
});
