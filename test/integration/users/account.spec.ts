import { randomUUID } from 'node:crypto';
import { ErasureService } from '../../../src/modules/users/erasure.service.js';
import { UsersService } from '../../../src/modules/users/users.service.js';
import { DatabaseService } from '../../../src/platform/database/database.service.js';
import type { Tx } from '../../../src/platform/database/db.js';
import { DomainError } from '../../../src/platform/errors/domain-error.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { type Person, register } from '../../support/people.js';

let app: TestApp;
let api: HttpClient;
let users: UsersService;
beforeAll(async () => {
  app = await createTestApp();
  api = new HttpClient(app.url);
  users = app.app.nest.get(UsersService);
});
afterAll(() => app.close());

const leave = (person: Person, body: unknown) =>
  person.send<Record<string, unknown>>('DELETE', '/api/v1/users/me', body, {});

describe('deletion', () => {
  it('asks for the password', async () => {
    const ada = await register(app.url);
    expect(await leave(ada, undefined)).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
    expect(await leave(ada, { password: 'wrong' })).toMatchObject({ status: 401 });
    expect(await leave(ada, { password: ada.password, now: true })).toMatchObject({ status: 400 });
    expect((await ada.get('/api/v1/users/me')).status).toBe(200);
  });

  it('hides the account at once, frees its names, and erases nothing yet', async () => {
    const [ada, bob] = [await register(app.url, 'Ada'), await register(app.url)];
    const { status, body } = await leave(ada, { password: ada.password });
    expect(status).toBe(202);
    expect(new Date(String(body['eraseAfter'])).getTime()).toBeGreaterThan(Date.now() + 29 * 86_400_000);
    expect(await ada.get('/api/v1/users/me')).toMatchObject({ status: 401, body: { code: 'session_revoked' } });
    expect((await api.post('/api/v1/auth/refresh', { refreshToken: ada.refreshToken })).status).toBe(401);
    expect((await api.post('/api/v1/auth/login', { identifier: ada.identifier, password: ada.password })).status).toBe(
      401,
    );
    expect((await bob.get(`/api/v1/users/${ada.id}`)).body).toMatchObject({
      state: 'deleted',
      displayName: '',
      handle: null,
    });
    expect(
      (
        await api.post('/api/v1/auth/register', {
          identifier: ada.identifier,
          password: ada.password,
          displayName: 'Ada',
        })
      ).status,
    ).toBe(201);
    const [row] = await query<{ display_name: string }>(
      `SELECT display_name FROM users WHERE id = $1`,
      [ada.id],
      app.databaseUrl,
    );
    expect(row?.display_name).toBe('Ada');
  });

  it('erases at once when asked to', async () => {
    const ada = await register(app.url, 'Ada Erased');
    await leave(ada, { password: ada.password, erase: true });
    const rows = await query<{ row: string }>(
      `SELECT row_to_json(u)::text AS row FROM users u WHERE id = $1
       UNION ALL SELECT row_to_json(s)::text FROM user_sessions s WHERE user_id = $1
       UNION ALL SELECT row_to_json(a)::text FROM recent_activity a WHERE user_id = $1`,
      [ada.id],
      app.databaseUrl,
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.row).not.toContain('Ada');
    expect(rows[0]?.row).not.toContain(ada.identifier);
    expect(JSON.parse(rows[0]?.row ?? '')).toMatchObject({ id: ada.id, state: 'deleted', email: null, password: null });
  });

  it('erases what is due, once, however many replicas do', async () => {
    const ada = await register(app.url);
    await leave(ada, { password: ada.password });
    await query(`UPDATE users SET erase_after = now() - interval '1 second' WHERE id = $1`, [ada.id], app.databaseUrl);
    const other = await createTestApp({ ROLE: 'api' }, { databaseUrl: app.databaseUrl });
    try {
      const counter = `SELECT count(*)::int AS n FROM users WHERE id = $1 AND erased_at IS NOT NULL AND email IS NULL`;
      await Promise.all([app, other].map((replica) => replica.app.nest.get(ErasureService).eraseDue()));
      expect(await query(counter, [ada.id], app.databaseUrl)).toEqual([{ n: 1 }]);
    } finally {
      await other.close();
    }
  });

  it('is refused by what a module above says, and then changes nothing', async () => {
    const ada = await register(app.url);
    users.addDeletionGuard(async (userId) => {
      if (userId === ada.id) throw new DomainError('last_admin');
    });
    expect(await leave(ada, { password: ada.password })).toMatchObject({ status: 409, body: { code: 'last_admin' } });
    expect((await ada.get('/api/v1/users/me')).status).toBe(200);
  });
});

describe('export', () => {
  it('gives everything but secrets, by a link that nobody can guess', async () => {
    const [ada, bob] = [await register(app.url, 'Ada Exported'), await register(app.url)];
    await ada.put(`/api/v1/users/me/contacts/${bob.id}`);
    users.addExportSource(async function* (userId) {
      if (userId === ada.id) yield { type: 'message', body: 'hello' };
    });
    const { status, body } = await ada.post<{ id: string; state: string; url: string }>('/api/v1/users/me/exports');
    expect([status, body.state]).toEqual([202, 'ready']);
    expect((await ada.get(`/api/v1/users/me/exports/${body.id}`)).body).toEqual(body);
    const response = await fetch(body.url);
    expect(response.headers.get('content-type')).toContain('application/x-ndjson');
    const archive = await response.text();
    const lines = archive
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; display_name?: string });
    expect(lines.map(({ type }) => type).toSorted()).toEqual([
      'activity',
      'activity',
      'contact',
      'message',
      'profile',
      'session',
    ]);
    expect(lines.find(({ type }) => type === 'profile')?.display_name).toBe('Ada Exported');
    expect(archive).not.toContain('argon2');
    const path = body.url.replace(app.url, '');
    const forged = path.replace(/signature=.*/, 'signature=AAAA');
    expect(await api.get(forged)).toMatchObject({ status: 403, body: { code: 'signature_invalid' } });
    expect(await api.get(path.replace(body.id, randomUUID()))).toMatchObject({ status: 403 });
    expect(await bob.get(`/api/v1/users/me/exports/${body.id}`)).toMatchObject({ status: 404 });
    await query(`UPDATE data_exports SET expires_at = now() WHERE id = $1`, [body.id], app.databaseUrl);
    expect(await api.get(path)).toMatchObject({ status: 403 });
    expect((await ada.get(`/api/v1/users/me/exports/${body.id}`)).body).toMatchObject({ url: null });
  });
});

describe('what other modules ask', () => {
  const inTransaction = <Result>(work: (tx: Tx) => Promise<Result>) => app.app.nest.get(DatabaseService).tx(work);

  it('requireUsers and findMany', async () => {
    const [ada, bob] = [await register(app.url, 'Ada'), await register(app.url, 'Bob')];
    await leave(bob, { password: bob.password });
    expect(await users.requireUsers([ada.id])).toEqual([
      { id: ada.id, handle: null, displayName: 'Ada', avatarMediaId: null, state: 'active', timeZone: 'UTC' },
    ]);
    await expect(users.requireUsers([ada.id, bob.id])).rejects.toMatchObject({ code: 'not_found' });
    await expect(users.requireUsers([randomUUID()])).rejects.toMatchObject({ code: 'not_found' });
    expect((await users.findMany([ada.id, bob.id, randomUUID()])).map(({ state }) => state).toSorted()).toEqual([
      'active',
      'deleted',
    ]);
  });

  it('blocks, both ways, and privacy', async () => {
    const [ada, bob, cy] = [await register(app.url), await register(app.url), await register(app.url)];
    await bob.put(`/api/v1/users/me/blocks/${ada.id}`);
    expect([
      await users.areBlocked(ada.id, bob.id),
      await users.areBlocked(bob.id, ada.id),
      await users.areBlocked(ada.id, cy.id),
    ]).toEqual([true, true, false]);
    expect(await users.blockedAmong(ada.id, [bob.id, cy.id])).toEqual(new Set([bob.id]));
    const { body } = await cy.get<{ privacy: object }>('/api/v1/users/me/preferences');
    await cy.put(
      '/api/v1/users/me/preferences',
      { ...body, privacy: { ...body.privacy, whoCanMessage: 'contacts' } },
      { 'if-match': '*' },
    );
    const actor = { userId: ada.id } as Parameters<UsersService['mayMessage']>[0];
    const nobody = randomUUID();
    expect(await users.mayMessage(actor, [bob.id, cy.id, nobody])).toEqual(
      new Map([
        [bob.id, 'blocked'],
        [cy.id, 'privacy_restricted'],
        [nobody, 'not_found'],
      ]),
    );
    expect(await users.mayAdd(actor, [cy.id])).toEqual(new Map());
    await cy.put(`/api/v1/users/me/contacts/${ada.id}`);
    expect(await users.mayMessage(actor, [cy.id])).toEqual(new Map());
    expect((await users.preferencesOf([cy.id, ada.id])).get(ada.id)?.privacy.whoCanMessage).toBe('everyone');
  });

  it('suspension ends sessions and keeps the user out until it ends', async () => {
    const ada = await register(app.url);
    await inTransaction((tx) => users.suspend(ada.id, 'spam', null, tx));
    expect(await ada.get('/api/v1/users/me')).toMatchObject({ status: 401, body: { code: 'session_revoked' } });
    const login = () => api.post('/api/v1/auth/login', { identifier: ada.identifier, password: ada.password });
    expect(await login()).toMatchObject({ status: 403, body: { code: 'account_suspended' } });
    await inTransaction((tx) => users.reinstate(ada.id, tx));
    expect((await login()).status).toBe(200);
    for (const attempt of [
      (tx: Tx) => users.suspend(randomUUID(), 'x', null, tx),
      (tx: Tx) => users.reinstate(randomUUID(), tx),
      (tx: Tx) => users.deleteAccount(randomUUID(), true, tx),
    ])
      await expect(inTransaction<unknown>(attempt)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('the user feed: profile, preferences, contacts and blocks by revision', async () => {
    const [ada, bob] = [await register(app.url), await register(app.url)];
    await ada.put(`/api/v1/users/me/contacts/${bob.id}`);
    await ada.patch('/api/v1/users/me', { bio: 'Hi' }, { 'if-match': '*' });
    const { body: preferences } = await ada.get<{ privacy: object }>('/api/v1/users/me/preferences');
    await ada.put(
      '/api/v1/users/me/preferences',
      { ...preferences, privacy: { ...preferences.privacy, presence: 'nobody' } },
      { 'if-match': '*' },
    );
    await ada.put(`/api/v1/users/me/blocks/${bob.id}`);
    const { body } = await ada.get<{
      changes: { rev: number; t: string; v: Record<string, unknown> }[];
      upTo: number;
      more: boolean;
    }>('/api/v1/users/me/changes?after=1');
    expect(body.changes.map(({ rev, t }) => [rev, t])).toEqual([
      [3, 'profile'],
      [4, 'preferences'],
      [5, 'block'],
      [6, 'contact'],
    ]);
    expect(body.changes.map(({ v }) => v)).toMatchObject([
      { bio: 'Hi' },
      { privacy: { presence: 'nobody' } },
      { userId: bob.id, deleted: false },
      { userId: bob.id, deleted: true },
    ]);
    expect([body.upTo, body.more]).toEqual([6, false]);
  });
});
