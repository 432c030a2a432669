import { createHmac, randomUUID } from 'node:crypto';
import {
  type CryptoKey,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  SignJWT,
} from 'jose';
import { SecretBox } from '../../../src/platform/auth/secret-box.js';
import { SigningKeys } from '../../../src/platform/auth/signing-keys.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { type Person, register } from '../../support/people.js';

let app: TestApp;
let person: Person;
let kid: string;
let key: CryptoKey;
let privateJwk: JWK;

beforeAll(async () => {
  app = await createTestApp();
  person = await register(app.url);
  kid = decodeProtectedHeader(person.accessToken).kid ?? '';
  // The real signing key, so that each forgery is wrong in one respect alone.
  const [row] = await query<{ private_enc: string }>(
    `SELECT private_enc FROM signing_keys WHERE kid = $1`,
    [kid],
    app.databaseUrl,
  );
  const opened = app.app.nest.get(SecretBox).open('signing-key', row?.private_enc ?? '');
  privateJwk = JSON.parse(opened) as JWK;
  key = (await importJWK(privateJwk, 'EdDSA')) as CryptoKey;
});
afterAll(() => app.close());

const seconds = () => Math.floor(Date.now() / 1000);
interface Forgery {
  header?: Record<string, unknown>;
  claims?: Record<string, unknown>;
  key?: CryptoKey | Uint8Array;
}
/** A token as the server would make it, but for the given differences. */
function forge({ header = {}, claims = {}, key: by = key }: Forgery = {}): Promise<string> {
  const good = { ...decodeJwt(person.accessToken), iat: seconds(), exp: seconds() + 600, jti: randomUUID() };
  const payload = Object.fromEntries(Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined));
  return new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA', kid, typ: 'at+jwt', ...header }).sign(by);
}
const me = (token: string, url = app.url) => new HttpClient(url, token).get('/api/v1/users/me');
const codeOf = async (token: string) => (await me(token)).body['code'] ?? 'accepted';
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('an access token', () => {
  it('is accepted when nothing is wrong with it', async () => {
    expect(await codeOf(await forge())).toBe('accepted');
  });

  const faults: [string, Forgery, string][] = [
    ['another audience', { claims: { aud: 'somebody' } }, 'unauthenticated'],
    ['another issuer', { claims: { iss: 'somebody' } }, 'unauthenticated'],
    ['another type', { header: { typ: 'JWT' } }, 'unauthenticated'],
    ['no expiry', { claims: { exp: undefined } }, 'unauthenticated'],
    ['no id', { claims: { jti: undefined } }, 'unauthenticated'],
    ['an expiry just past', { claims: { exp: seconds() - 1 } }, 'token_expired'],
    ['an expiry long past', { claims: { exp: seconds() - 3600 } }, 'token_expired'],
    ['a start in the future', { claims: { nbf: seconds() + 300 } }, 'unauthenticated'],
    ['an issue in the future', { claims: { iat: seconds() + 300, exp: seconds() + 900 } }, 'unauthenticated'],
    ['an unknown key', { header: { kid: randomUUID() } }, 'unauthenticated'],
    ['no key', { header: { kid: undefined } }, 'unauthenticated'],
    ['a path for a key', { header: { kid: '../../../../dev/null' } }, 'unauthenticated'],
    ['a session of nobody', { claims: { sid: randomUUID() } }, 'session_revoked'],
    ['a session that is no id', { claims: { sid: "' OR 1=1 --" } }, 'unauthenticated'],
    ['another user', { claims: { sub: randomUUID() } }, 'session_revoked'],
  ];
  it.each(faults)('with %s is refused', async (_what, forgery, code) => {
    expect(await codeOf(await forge(forgery))).toBe(code);
  });

  it('is refused unsigned, with alg none, and signed with the public key as a secret', async () => {
    const claims = encode({ ...decodeJwt(person.accessToken), exp: seconds() + 600 });
    const none = `${encode({ alg: 'none', kid, typ: 'at+jwt' })}.${claims}.`;
    expect(await codeOf(none)).toBe('unauthenticated');
    const { body } = await new HttpClient(app.url).get<{ keys: JWK[] }>('/.well-known/jwks.json');
    const secret = JSON.stringify(body.keys.find((jwk) => jwk.kid === kid));
    const head = `${encode({ alg: 'HS256', kid, typ: 'at+jwt' })}.${claims}`;
    expect(await codeOf(`${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`)).toBe(
      'unauthenticated',
    );
  });

  it('is refused from another key under the right name, and when changed', async () => {
    const stranger = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
    expect(await codeOf(await forge({ key: stranger.privateKey }))).toBe('unauthenticated');
    const [head = '', , signature = ''] = person.accessToken.split('.');
    expect(
      await codeOf(`${head}.${encode({ ...decodeJwt(person.accessToken), sub: randomUUID() })}.${signature}`),
    ).toBe('unauthenticated');
    // The key a token brings along is not asked.
    const jwk = await exportJWK(stranger.publicKey);
    expect(await codeOf(await forge({ key: stranger.privateKey, header: { jwk } }))).toBe('unauthenticated');
  });

  it.each(['', 'a', 'a.b.c', '..', 'é', 'x'.repeat(8000)])('is not %j', async (token) => {
    const answer = await new HttpClient(app.url).get(
      '/api/v1/users/me',
      token === 'é' ? {} : { authorization: `Bearer ${token}` },
    );
    expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  });

  it('travels in the header alone', async () => {
    const { accessToken } = person;
    const nobody = new HttpClient(app.url);
    expect((await nobody.get('/api/v1/auth/sessions?access_token=' + accessToken)).status).toBe(401);
    expect((await nobody.get('/api/v1/auth/sessions', { cookie: `token=${accessToken}` })).status).toBe(401);
    expect((await nobody.get('/api/v1/auth/sessions', { authorization: `Basic ${accessToken}` })).status).toBe(401);
  });

  it('is refused everywhere when it is a refresh token', async () => {
    expect(await codeOf(person.refreshToken)).toBe('unauthenticated');
  });
});

describe('signing keys', () => {
  it('are stored encrypted and published without their private half', async () => {
    const rows = await query<{ row: string }>(
      `SELECT row_to_json(k)::text AS row FROM signing_keys k`,
      [],
      app.databaseUrl,
    );
    expect(privateJwk.d).toMatch(/^.{43}$/);
    for (const { row } of rows) expect(row).not.toContain(privateJwk.d);
    const { body } = await new HttpClient(app.url).get<{ keys: JWK[] }>('/.well-known/jwks.json');
    expect(body.keys).toEqual([
      { kty: 'OKP', crv: 'Ed25519', x: expect.any(String) as string, kid, use: 'sig', alg: 'EdDSA' },
    ]);
  });

  it('are the same on all replicas that boot together', async () => {
    const fresh = await createTestApp();
    try {
      const others = await Promise.all([1, 2, 3].map(() => createTestApp({}, { databaseUrl: fresh.databaseUrl })));
      const sets = await Promise.all(
        [fresh, ...others].map(async ({ url }) => (await new HttpClient(url).get('/.well-known/jwks.json')).body),
      );
      for (const set of sets) expect(set).toEqual(sets[0]);
      await Promise.all(others.map((other) => other.close()));
    } finally {
      await fresh.close();
    }
  });

  it('rotate without refusing anybody: published first, then signing, the old one good to its end', async () => {
    const here = await createTestApp();
    const other = await createTestApp({}, { databaseUrl: here.databaseUrl });
    try {
      const user = await register(here.url);
      const next = await here.app.nest.get(SigningKeys).rotate();
      const published = (await new HttpClient(here.url).get<{ keys: JWK[] }>('/.well-known/jwks.json')).body.keys.map(
        (jwk) => jwk.kid,
      );
      expect(published).toEqual([decodeProtectedHeader(user.accessToken).kid, next]);
      // Two minutes later, without waiting for them.
      const activate = `UPDATE signing_keys SET active_from = active_from - interval '3 minutes', retired_at = retired_at - interval '3 minutes'`;
      await query(activate, [], here.databaseUrl);
      const third = await createTestApp({}, { databaseUrl: here.databaseUrl });
      const later = await register(third.url);
      expect(decodeProtectedHeader(later.accessToken).kid).toBe(next);
      // A replica that has not seen the key looks it up, and the old token still works everywhere.
      for (const { url } of [here, other, third]) {
        expect((await me(user.accessToken, url)).status).toBe(200);
      }
      await query(`UPDATE signing_keys SET expires_at = now() WHERE kid <> $1`, [next], here.databaseUrl);
      const fourth = await createTestApp({}, { databaseUrl: here.databaseUrl });
      expect((await me(user.accessToken, fourth.url)).body).toMatchObject({ code: 'unauthenticated' });
      expect((await me(later.accessToken, fourth.url)).status).toBe(200);
      await Promise.all([third.close(), fourth.close()]);
    } finally {
      await other.close();
      await here.close();
    }
  });

  it('end at once when compromised', async () => {
    const here = await createTestApp();
    try {
      const user = await register(here.url);
      expect((await me(user.accessToken, here.url)).status).toBe(200);
      await here.app.nest.get(SigningKeys).rotate({ compromised: true });
      expect((await me(user.accessToken, here.url)).body).toMatchObject({ code: 'unauthenticated' });
      const refreshed = await new HttpClient(here.url).post<{ accessToken: string }>('/api/v1/auth/refresh', {
        refreshToken: user.refreshToken,
      });
      expect((await me(refreshed.body.accessToken, here.url)).status).toBe(200);
    } finally {
      await here.close();
    }
  });
});
