import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { createTestApp, type TestApp } from '../support/app.js';
import { HttpClient } from '../support/http-client.js';
import { type Person, register } from '../support/people.js';

describe('bad input', () => {
  let parley: TestApp;
  let ada: Person;
  let anonymous: HttpClient;

  beforeAll(async () => {
    parley = await createTestApp({ ACCESS_TOKEN_TTL: '600' });
    ada = await register(parley.url, 'Ada');
    anonymous = new HttpClient(parley.url);
  });
  afterAll(() => parley.close());
  afterEach(async () => {
    expect((await anonymous.get('/health')).status).toBe(200);
  });

  const json = { 'content-type': 'application/json' };
  const problem = (status: number, code: string) => ({
    status,
    body: {
      type: `urn:parley:problem:${code}`,
      status,
      code,
      title: expect.any(String),
      requestId: expect.stringMatching(/.{8,}/),
      errors: expect.any(Array),
    },
  });

  it.each<[string, unknown, Record<string, string>, number, string]>([
    ['malformed JSON', '{"identifier":', json, 400, 'malformed_request'],
    ['a JSON string in place of an object', '"text"', json, 400, 'malformed_request'],
    [
      'bad UTF-8',
      Buffer.concat([Buffer.from('{"identifier":"'), Buffer.of(0xc3, 0x28), Buffer.from('"}')]),
      json,
      400,
      'malformed_request',
    ],
    [
      'another charset',
      '{}',
      { 'content-type': 'application/json; charset=iso-8859-1' },
      415,
      'unsupported_media_type',
    ],
    [
      'another media type',
      'identifier=x',
      { 'content-type': 'application/x-www-form-urlencoded' },
      415,
      'unsupported_media_type',
    ],
    ['a body of 2 MB', JSON.stringify({ identifier: 'x'.repeat(2_000_000) }), json, 413, 'payload_too_large'],
    ['45,000 levels', `${'['.repeat(45_000)}${']'.repeat(45_000)}`, json, 413, 'payload_too_large'],
    ['wrong types', JSON.stringify({ identifier: 7, password: true, displayName: [] }), json, 400, 'validation_failed'],
    ['nothing', '{}', json, 400, 'validation_failed'],
    [
      'unknown members',
      JSON.stringify({ identifier: 'a@example.com', password: 'password-1', displayName: 'A', isAdmin: true }),
      json,
      400,
      'validation_failed',
    ],
    ...['__proto__', 'constructor', 'prototype'].map(
      (name): [string, unknown, Record<string, string>, number, string] => [
        `a ${name} beside what is asked for`,
        `{"identifier":"a@example.com","password":"password-1","displayName":"A","${name}":{"isAdmin":true}}`,
        json,
        400,
        'validation_failed',
      ],
    ),
  ])('refuses %s', async (_name, body, headers, status, code) => {
    const answer = await anonymous.post('/api/v1/auth/register', body, headers);
    expect(answer).toMatchObject(problem(status, code));
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.headers.get('x-request-id')).toBe(answer.body['requestId']);
  });

  it('says which members are wrong', async () => {
    const { body } = await anonymous.post('/api/v1/auth/register', { identifier: 7, displayName: 'A' });
    expect((body['errors'] as { path: string }[]).map((error) => error.path).toSorted()).toEqual([
      'identifier',
      'password',
    ]);
  });

  it('never echoes the body', async () => {
    const { body } = await anonymous.post('/api/v1/auth/register', '{"password":"canary-4711"', json);
    expect(JSON.stringify(body)).not.toContain('canary');
  });

  it('refuses a second account with the same identifier', async () => {
    const answer = await anonymous.post('/api/v1/auth/register', {
      identifier: ada.identifier,
      password: 'password-2',
      displayName: 'B',
    });
    expect(answer).toMatchObject(problem(409, 'already_exists'));
  });

  it.each([
    ['no token', undefined, 'unauthenticated'],
    ['no JWT', 'nonsense', 'unauthenticated'],
    [
      'alg none',
      `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${Buffer.from('{"sub":"x"}').toString('base64url')}.`,
      'unauthenticated',
    ],
  ])('refuses %s', async (_name, token, code) => {
    expect(await new HttpClient(parley.url, token).get('/api/v1/users/me')).toMatchObject(problem(401, code));
  });

  it('refuses a token whose signature was changed', async () => {
    const [head = '', body = '', signature = ''] = ada.accessToken.split('.');
    const forged = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    expect(await new HttpClient(parley.url, forged).get('/api/v1/users/me')).toMatchObject(
      problem(401, 'unauthenticated'),
    );
  });

  it('refuses a token in the query string', async () => {
    expect(await anonymous.get(`/api/v1/users/me?access_token=${ada.accessToken}`)).toMatchObject({ status: 401 });
  });

  it('refuses an expired token with its own code', async () => {
    const short = await createTestApp({ ACCESS_TOKEN_TTL: '5' }, { databaseUrl: parley.databaseUrl });
    try {
      const ben = await register(short.url, 'Ben');
      const { exp } = JSON.parse(Buffer.from(ben.accessToken.split('.')[1] ?? '', 'base64url').toString()) as {
        exp: number;
      };
      await new Promise((resolve) => setTimeout(resolve, exp * 1000 - Date.now() + 5));
      expect(await ben.get('/api/v1/users/me')).toMatchObject(problem(401, 'token_expired'));
    } finally {
      await short.close();
    }
  });

  it.each([
    ['a conversation', (id: string) => `/api/v1/conversations/${id}`],
    ['its history', (id: string) => `/api/v1/conversations/${id}/messages`],
    ['a user', (id: string) => `/api/v1/users/${id}`],
  ])('answers 404 for %s that does not exist', async (_name, path) => {
    expect(await ada.get(path(randomUUID()))).toMatchObject(problem(404, 'not_found'));
  });

  it('refuses an id that is none', async () => {
    expect(await ada.get('/api/v1/conversations/not-an-id')).toMatchObject(problem(400, 'validation_failed'));
  });

  it('answers 404 for a route that does not exist and 405 for a method that does not', async () => {
    expect(await ada.get('/api/v1/nothing')).toMatchObject(problem(404, 'not_found'));
    expect(await ada.delete('/api/v1/auth/login')).toMatchObject(problem(405, 'method_not_allowed'));
  });

  it('takes a sane request id and replaces another', async () => {
    expect((await anonymous.get('/health', { 'x-request-id': 'caller-1234' })).headers.get('x-request-id')).toBe(
      'caller-1234',
    );
    expect((await anonymous.get('/health', { 'x-request-id': 'no spaces!' })).headers.get('x-request-id')).toMatch(
      /^[\w-]{12}$/,
    );
  });

  it('survives a client that leaves in the middle of a body', async () => {
    await new Promise<void>((resolve) => {
      const half = request(`${parley.url}/api/v1/auth/login`, {
        method: 'POST',
        headers: { ...json, 'content-length': 1000 },
      });
      half.on('error', () => resolve());
      half.write('{"identifier":', () => half.destroy());
      half.on('close', () => resolve());
    });
  });
});
