import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { pino } from 'pino';
import { HostKeys } from '../../../src/modules/users/host-keys.js';
import { fixClock } from '../../../src/platform/clock/clock.js';
import { Log } from '../../../src/platform/logging/log.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { register } from '../../support/people.js';

const issuer = 'https://host.example';
const secret = 'a shared secret of thirty-two bytes or more';
const seconds = () => Math.floor(Date.now() / 1000);

/** A host application: an address with its public keys, which can be changed and switched off. */
class Host {
  keys: JWK[] = [];
  up = true;
  requests = 0;
  readonly server: Server = createServer((_request, response) => {
    this.requests += 1;
    response
      .writeHead(this.up ? 200 : 500, { 'content-type': 'application/json' })
      .end(JSON.stringify({ keys: this.keys }));
  });
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/jwks`;
  }
  async newKey(alg: 'EdDSA' | 'ES256' | 'RS256'): Promise<{ alg: string; kid: string; key: CryptoKey }> {
    const pair = await generateKeyPair(alg, { extractable: true });
    const kid = randomUUID();
    this.keys.push({ ...(await exportJWK(pair.publicKey)), kid, alg });
    return { alg, kid, key: pair.privateKey };
  }
}

const host = new Host();
let app: TestApp;
let url: string;
let keys: Awaited<ReturnType<Host['newKey']>>[];
beforeAll(async () => {
  keys = [await host.newKey('EdDSA'), await host.newKey('ES256'), await host.newKey('RS256')];
  url = await host.listen();
  app = await createTestApp({
    HOST_JWT_ISSUER: issuer,
    HOST_JWT_AUDIENCE: 'chat',
    HOST_JWT_JWKS_URL: url,
    HOST_JWT_SECRET: secret,
  });
});
afterAll(async () => {
  await app.close();
  host.server.close();
});

const claims = (more: JWTPayload = {}): JWTPayload => ({
  iss: issuer,
  aud: 'chat',
  sub: randomUUID(),
  iat: seconds(),
  exp: seconds() + 300,
  ...more,
});
const signed = (payload: JWTPayload, by = keys[0]) => {
  if (!by) throw new Error('no key');
  return new SignJWT(payload).setProtectedHeader({ alg: by.alg, kid: by.kid }).sign(by.key);
};
const me = (token: string, headers: Record<string, string> = {}) =>
  new HttpClient(app.url, token).get<Record<string, unknown>>('/api/v1/users/me', headers);

it.each([0, 1, 2])('a token of the host application is accepted (key %i)', async (i) => {
  const payload = claims({
    name: 'Grace Hopper',
    preferred_username: `grace.${i}`,
    email: `grace${i}@example.com`,
    email_verified: true,
    roles: ['admin'],
  });
  const first = await me(await signed(payload, keys[i]));
  expect(first).toMatchObject({
    status: 200,
    body: {
      displayName: 'Grace Hopper',
      handle: `grace.${i}`,
      email: `grace${i}@example.com`,
      emailVerified: true,
      roles: ['user'],
      permissions: [],
    },
  });
  expect((await me(await signed({ ...payload, name: 'Other' }, keys[i]))).body).toMatchObject({
    id: first.body['id'],
    displayName: 'Grace Hopper',
  });
});

it('a token under the shared secret is accepted', async () => {
  const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret));
  expect((await me(token)).status).toBe(200);
});

it('callers who come at once each find their own account and session', async () => {
  const callers = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => ({ device: `phone-${i % 2}`, token: await signed(claims()) })),
  );
  const ask = () =>
    Promise.all(
      [...callers, ...callers].map(async ({ token, device }) => {
        const own = await me(token, { 'x-device-id': device });
        const sessions = await new HttpClient(app.url, token).get<{ items: { id: string; deviceId: string }[] }>(
          '/api/v1/auth/sessions',
          { 'x-device-id': device },
        );
        const [session, ...others] = sessions.body.items;
        expect([session?.deviceId, others]).toEqual([device, []]);
        return `${String(own.body['id'])} ${session?.id ?? ''}`;
      }),
    );
  const first = await ask();
  expect(new Set(first).size).toBe(callers.length);
  expect(first.slice(callers.length)).toEqual(first.slice(0, callers.length));
  expect(await ask()).toEqual(first);
});

it('a public key is no shared secret', async () => {
  const wrong = await new SignJWT(claims())
    .setProtectedHeader({ alg: 'HS256', kid: keys[0]?.kid ?? '' })
    .sign(new TextEncoder().encode(JSON.stringify(host.keys[0])));
  expect(await me(wrong)).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
});

it.each([
  ['no subject', { sub: undefined }, 'unauthenticated'],
  ['an empty subject', { sub: '' }, 'unauthenticated'],
  ['a subject with NUL', { sub: 'a\u0000b' }, 'unauthenticated'],
  ['no expiry', { exp: undefined }, 'unauthenticated'],
  ['another audience', { aud: 'other' }, 'unauthenticated'],
  ['another issuer', { iss: 'https://elsewhere.example' }, 'unauthenticated'],
  ['an old expiry', { exp: seconds() - 120 }, 'token_expired'],
  ['a future start', { nbf: seconds() + 300 }, 'unauthenticated'],
  ['a future issue', { iat: seconds() + 300 }, 'unauthenticated'],
])('with %s it is refused', async (_what, fault: JWTPayload, code) => {
  expect(await me(await signed(claims(fault)))).toMatchObject({ status: 401, body: { code } });
});

it('many first sights of one subject make one user', async () => {
  const payload = claims({ preferred_username: `many.${randomUUID().slice(0, 6)}` });
  const tokens = await Promise.all(Array.from({ length: 12 }, (_, i) => signed({ ...payload, jti: String(i) })));
  const answers = await Promise.all(tokens.map((token) => me(token)));
  expect(new Set(answers.map(({ status, body }) => `${status} ${String(body['id'])}`)).size).toBe(1);
  expect(answers[0]?.status).toBe(200);
});

it('what is taken or malformed is left out of the first profile', async () => {
  const { identifier } = await register(app.url);
  const { body } = await me(await signed(claims({ name: '\u0000', preferred_username: 'ADMIN !', email: identifier })));
  expect(body).toMatchObject({ handle: null, email: null });
  expect(body['displayName']).toMatch(/^User \d{6}$/);
});

it('each device has a session; a revoked one refuses tokens up to its end and takes later ones', async () => {
  const payload = claims({ iat: seconds() - 30 });
  const token = await signed(payload);
  const phone = { 'x-device-id': 'phone' };
  const { body } = await new HttpClient(app.url, token).get<{
    items: { id: string; kind: string; deviceId: string }[];
  }>('/api/v1/auth/sessions', phone);
  expect(body.items).toEqual([expect.objectContaining({ kind: 'external', deviceId: 'phone', current: true })]);
  expect((await me(token, { 'x-device-id': 'laptop' })).status).toBe(200);
  expect((await new HttpClient(app.url, token).post('/api/v1/auth/logout', undefined, phone)).status).toBe(204);
  expect(await me(token, phone)).toMatchObject({ status: 401, body: { code: 'session_revoked' } });
  expect((await me(token, { 'x-device-id': 'laptop' })).status).toBe(200);
  await query(
    `UPDATE user_sessions SET revoked_at = $1 WHERE revoked_at IS NOT NULL`,
    [new Date((seconds() - 10) * 1000)],
    app.databaseUrl,
  );
  expect((await me(await signed({ ...payload, iat: seconds() }), phone)).status).toBe(200);
  expect((await me(await signed({ ...payload, jti: 'old' }), phone)).status).toBe(401);
});

it('a suspended user is refused', async () => {
  const payload = claims();
  const { body } = await me(await signed(payload));
  await query(`UPDATE users SET state = 'suspended' WHERE id = $1`, [body['id']], app.databaseUrl);
  expect(await me(await signed({ ...payload, jti: 'next' }), { 'x-device-id': 'other' })).toMatchObject({
    status: 403,
    body: { code: 'account_suspended' },
  });
});

it('the shared secret means nothing where none is configured', async () => {
  const there = await createTestApp(
    { HOST_JWT_ISSUER: issuer, HOST_JWT_AUDIENCE: 'chat', HOST_JWT_JWKS_URL: url },
    { databaseUrl: app.databaseUrl },
  );
  try {
    const token = await new SignJWT(claims())
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
    expect(await new HttpClient(there.url, token).get('/api/v1/users/me')).toMatchObject({ status: 401 });
  } finally {
    await there.close();
  }
});

describe('the keys of the host application', () => {
  let rotating: Host;
  let found: HostKeys;
  let time: number;
  let restore: () => void;
  beforeEach(async () => {
    time = Date.now();
    restore = fixClock({ epochMs: () => time });
    rotating = new Host();
    found = new HostKeys(await rotating.listen(), new Log(pino({ level: 'silent' })));
  });
  afterEach(() => {
    restore();
    rotating.server.close();
  });
  const find = ({ alg, kid }: { alg: string; kid: string }) =>
    found.find({ alg, kid }, { payload: '', signature: '', protected: '' });

  it('are fetched once for many', async () => {
    const key = await rotating.newKey('EdDSA');
    await Promise.all(Array.from({ length: 20 }, () => find(key)));
    expect(rotating.requests).toBe(1);
  });

  it('are fetched again for a key not seen before, but not for every stranger', async () => {
    await find(await rotating.newKey('EdDSA'));
    const next = await rotating.newKey('EdDSA');
    await expect(find(next)).rejects.toThrow('no applicable key');
    time += 10_000;
    await find(next);
    expect(rotating.requests).toBe(2);
    for (let i = 0; i < 5; i++)
      await expect(find({ alg: 'EdDSA', kid: String(i) })).rejects.toThrow('no applicable key');
    expect(rotating.requests).toBe(2);
  });

  it('outlive an outage, which is one only before the first fetch', async () => {
    const key = await rotating.newKey('EdDSA');
    rotating.up = false;
    await expect(find(key)).rejects.toMatchObject({ code: 'dependency_unavailable' });
    rotating.up = true;
    time += 10_000;
    await find(key);
    rotating.up = false;
    time += 86_400_000;
    await find(key);
    await find(key);
    expect(rotating.requests).toBeGreaterThanOrEqual(2);
  });
});
