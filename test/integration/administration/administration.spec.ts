import { randomUUID } from 'node:crypto';
import { createAdmin, registerWithRoles } from '../../support/admins.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import { connect, type Person, register } from '../../support/people.js';
import { Sockets } from '../../../src/platform/realtime/sockets.js';

let here: TestApp;
let there: TestApp;
let admin: Person;
beforeAll(async () => {
  here = await createTestApp();
  there = await createTestApp({}, { databaseUrl: here.databaseUrl });
  admin = await createAdmin(here);
});
afterAll(async () => {
  await there.close();
  await here.close();
});

const code = ({ status, body }: { status: number; body: Record<string, unknown> }) => [status, body['code']];
const lastEntry = async () => {
  const { body } = await admin.get<{ items: Record<string, unknown>[] }>('/api/v1/admin/audit-logs?limit=1');
  return body.items[0] ?? {};
};
const setRoles = (by: HttpClient, userId: string, ...roles: string[]) =>
  by.put(`/api/v1/admin/users/${userId}/roles`, { roles });

describe('roles', () => {
  it('act on the next request, on every replica and on open sockets', async () => {
    const person = await register(here.url);
    const elsewhere = new HttpClient(there.url, person.accessToken);
    const socket = await connect({ ...person, url: there.url });
    expect(code(await elsewhere.get('/api/v1/admin/reports'))).toEqual([403, 'forbidden']);
    expect((await setRoles(admin, person.id, 'moderator')).body).toEqual({ roles: ['user', 'moderator'] });
    // The hint needs a moment to the other replica; the answer has to come by itself.
    while ((await elsewhere.get('/api/v1/admin/reports')).status !== 200);
    const permissionsOnSocket = () =>
      [...there.app.nest.get(Sockets).of(person.id)].map(({ actor }) => actor.can('reports.read'));
    while (!permissionsOnSocket().every(Boolean)) await new Promise((resolve) => setImmediate(resolve));
    await setRoles(admin, person.id);
    while ((await elsewhere.get('/api/v1/admin/reports')).status !== 403);
    while (permissionsOnSocket().some(Boolean)) await new Promise((resolve) => setImmediate(resolve));
    socket.close();
  });

  it('can be defined, changed and deleted; built-in ones cannot', async () => {
    const name = `helper-${randomUUID().slice(0, 8)}`;
    const roles = '/api/v1/admin/roles';
    expect(await admin.post(roles, { name, permissions: ['users.read'] })).toMatchObject({
      status: 201,
      body: { name, builtIn: false, permissions: ['users.read'], users: 0 },
    });
    expect(code(await admin.post(roles, { name, permissions: [] }))).toEqual([409, 'already_exists']);
    const helper = await registerWithRoles(here.url, admin, name);
    expect((await helper.get('/api/v1/admin/users')).status).toBe(200);
    const changed = await admin.patch(`${roles}/${name}`, { permissions: ['audit.read'] });
    expect(changed.body).toMatchObject({ permissions: ['audit.read'], users: 1 });
    expect((await helper.get('/api/v1/admin/users')).status).toBe(403);
    expect((await admin.delete(`${roles}/${name}`)).status).toBe(204);
    expect((await helper.get('/api/v1/admin/audit-logs')).status).toBe(403);
    expect(code(await admin.patch(`${roles}/admin`, { permissions: [] }))).toEqual([409, 'invalid_state']);
    expect(code(await admin.delete(`${roles}/moderator`))).toEqual([409, 'invalid_state']);
    expect(code(await admin.delete(`${roles}/nobody`))).toEqual([404, 'not_found']);
    expect(code(await setRoles(admin, helper.id, 'nobody'))).toEqual([400, 'validation_failed']);
  });

  it('nobody hands out, takes away or reaches above what they have themselves', async () => {
    const name = `granter-${randomUUID().slice(0, 8)}`;
    await admin.post('/api/v1/admin/roles', {
      name,
      permissions: ['roles.read', 'roles.write', 'users.write', 'users.delete', 'sessions.revoke'],
    });
    const granter = await registerWithRoles(here.url, admin, name);
    const other = await register(here.url);
    for (const answer of [
      await setRoles(granter, other.id, 'moderator'),
      await setRoles(granter, granter.id, name, 'admin'),
      await setRoles(granter, admin.id),
      await granter.post('/api/v1/admin/roles', { name: 'sly', permissions: ['audit.read'] }),
      await granter.patch(`/api/v1/admin/roles/${name}`, { permissions: ['roles.write', 'audit.read'] }),
      await granter.patch(`/api/v1/admin/users/${admin.id}`, { email: 'mine@example.com' }),
      await granter.post(`/api/v1/admin/users/${admin.id}/suspend`, { reason: 'coup' }),
      await granter.delete(`/api/v1/admin/users/${admin.id}`),
      await granter.delete(`/api/v1/admin/users/${admin.id}/sessions`),
    ])
      expect(code(answer)).toEqual([403, 'forbidden']);
    expect((await setRoles(granter, other.id, name)).status).toBe(200);
  });

  it('the last admin stays one, whatever is tried', async () => {
    const second = await registerWithRoles(here.url, admin, 'admin');
    const removals = await Promise.all([setRoles(admin, second.id), setRoles(second, admin.id)]);
    const left = removals[0].status === 200 ? admin : second;
    expect(removals.some(({ status }) => status === 200)).toBe(true);
    expect(removals.every(({ status }) => status === 200)).toBe(false);
    if (left === second) await setRoles(second, admin.id, 'admin');
    await setRoles(admin, second.id);
    expect(code(await setRoles(admin, admin.id))).toEqual([409, 'last_admin']);
    expect(code(await admin.post(`/api/v1/admin/users/${admin.id}/suspend`, { reason: 'oops' }))).toEqual([
      409,
      'last_admin',
    ]);
    expect(code(await admin.delete(`/api/v1/admin/users/${admin.id}`))).toEqual([409, 'last_admin']);
    expect(
      (await admin.send<{ code: string }>('DELETE', '/api/v1/users/me', { password: admin.password }, {})).body.code,
    ).toBe('last_admin');
    expect((await admin.get('/api/v1/users/me')).status).toBe(200);
  });
});

describe('accounts', () => {
  it('are made, found, changed, shut out and let in again; each act is in the log, addresses masked', async () => {
    const identifier = `${randomUUID()}@example.com`;
    const made = await admin.post<{ id: string; roles: string[] }>('/api/v1/admin/users', {
      identifier,
      displayName: 'Made By Admin',
      password: 'password of the day',
    });
    expect(made).toMatchObject({ status: 201, body: { email: identifier, emailVerified: true, roles: ['user'] } });
    expect(JSON.stringify(made.body)).not.toContain('argon2');
    const { id } = made.body;
    expect(await lastEntry()).toMatchObject({ action: 'user.create', targetId: id, actorId: admin.id });
    expect(JSON.stringify(await lastEntry())).not.toContain(identifier);
    const signIn = () =>
      new HttpClient(here.url).post('/api/v1/auth/login', { identifier, password: 'password of the day' });
    expect((await signIn()).status).toBe(200);
    const found = await admin.get<{ items: { id: string }[] }>(
      `/api/v1/admin/users?query=${encodeURIComponent(identifier)}`,
    );
    expect(found.body.items.map((item) => item.id)).toEqual([id]);
    const changed = await admin.patch(`/api/v1/admin/users/${id}`, { displayName: 'Renamed', handle: 'renamed_one' });
    expect(changed).toMatchObject({ status: 200, body: { displayName: 'Renamed', handle: 'renamed_one' } });
    expect(await lastEntry()).toMatchObject({
      before: { displayName: 'Made By Admin', handle: null },
      after: { displayName: 'Renamed', handle: 'renamed_one' },
    });
    expect((await admin.post(`/api/v1/admin/users/${id}/suspend`, { reason: 'spam' })).body).toMatchObject({
      state: 'suspended',
      suspendReason: 'spam',
    });
    expect(code((await signIn()) as never)).toEqual([403, 'account_suspended']);
    expect(
      (await admin.get<{ items: { id: string }[] }>('/api/v1/admin/users?state=suspended')).body.items,
    ).toMatchObject([{ id }]);
    expect((await admin.post(`/api/v1/admin/users/${id}/unsuspend`)).body).toMatchObject({ state: 'active' });
    expect((await signIn()).status).toBe(200);
    expect((await admin.delete(`/api/v1/admin/users/${id}`)).status).toBe(202);
    expect(await lastEntry()).toMatchObject({ action: 'user.delete', before: { state: 'active' } });
    expect(code(await admin.delete(`/api/v1/admin/users/${id}`))).toEqual([404, 'not_found']);
  });

  it('lose their sessions on request, on every replica', async () => {
    const person = await register(here.url);
    const socket = await connect({ ...person, url: there.url });
    const sessions = `/api/v1/admin/users/${person.id}/sessions`;
    expect((await admin.get<{ items: { id: string }[] }>(sessions)).body.items).toMatchObject([
      { id: person.sessionId },
    ]);
    expect((await admin.delete(`${sessions}/${person.sessionId}`)).status).toBe(204);
    expect(await socket.until('session.revoked')).toEqual({ reason: 'revoked' });
    expect(code(await person.get('/api/v1/users/me'))).toEqual([401, 'session_revoked']);
    expect((await admin.delete(`${sessions}/${person.sessionId}`)).status).toBe(404);
    expect((await admin.delete(sessions)).status).toBe(204);
  });
});

describe('moderation', () => {
  it('a report leads to the message, which a moderator deletes', async () => {
    const moderator = await registerWithRoles(here.url, admin, 'moderator');
    const [ada, ben, stranger] = await Promise.all([register(here.url), register(here.url), register(here.url)]);
    const conversation = (
      await ada.post<{ id: string }>('/api/v1/conversations', { type: 'group', title: 'T', memberIds: [ben.id] })
    ).body.id;
    const { message } = (
      await ada.post<{ message: { id: string; seq: number } }>(`/api/v1/conversations/${conversation}/messages`, {
        clientId: randomUUID(),
        body: 'canary words',
      })
    ).body;
    const report = { messageId: message.id, reason: 'abuse', note: 'see yourself' };
    expect(code(await stranger.post('/api/v1/reports', report))).toEqual([404, 'not_found']);
    expect((await ben.post('/api/v1/reports', { ...report, userId: ada.id })).status).toBe(400);
    const filed = await ben.post<{ id: string }>('/api/v1/reports', report);
    expect(filed).toMatchObject({ status: 201, body: { state: 'open' } });
    const { items } = (
      await moderator.get<{ items: { id: string; place: unknown }[] }>('/api/v1/admin/reports?state=open')
    ).body;
    expect(items.find(({ id }) => id === filed.body.id)).toMatchObject({
      reporterId: ben.id,
      place: { conversationId: conversation, seq: message.seq, senderId: ada.id },
    });
    const path = `/api/v1/admin/conversations/${conversation}/messages/${message.seq}`;
    expect(await moderator.delete(`${path}?reason=abuse`)).toMatchObject({
      status: 200,
      body: { changed: true, message: { body: null, deletedBy: moderator.id } },
    });
    expect(await lastEntry()).toMatchObject({ action: 'message.delete', after: { reason: 'abuse', senderId: ada.id } });
    expect((await moderator.delete(path)).body).toMatchObject({ changed: false });
    const close = () => moderator.patch(`/api/v1/admin/reports/${filed.body.id}`, { state: 'resolved' });
    expect((await close()).body).toMatchObject({ state: 'resolved', resolvedBy: moderator.id });
    expect(code(await close())).toEqual([409, 'invalid_state']);
    expect(code(await moderator.delete(`/api/v1/admin/conversations/${conversation}`))).toEqual([403, 'forbidden']);
  });

  it('conversations are seen without what is written, and ended', async () => {
    const [ada, ben] = await Promise.all([register(here.url), register(here.url)]);
    const { id } = (
      await ada.post<{ id: string }>('/api/v1/conversations', { type: 'group', title: 'Seen', memberIds: [ben.id] })
    ).body;
    await ada.post(`/api/v1/conversations/${id}/messages`, { clientId: randomUUID(), body: 'canary words' });
    const seen = await admin.get(`/api/v1/admin/conversations/${id}`);
    expect(seen).toMatchObject({ status: 200, body: { memberCount: 2 } });
    expect(JSON.stringify(seen.body)).not.toContain('canary');
    expect((await admin.delete(`/api/v1/admin/conversations/${id}/members/${ben.id}`)).status).toBe(204);
    expect((await ben.get(`/api/v1/conversations/${id}`)).status).toBe(404);
    expect((await admin.send('DELETE', `/api/v1/admin/conversations/${id}`, { reason: 'spam' }, {})).status).toBe(204);
    expect((await ada.get(`/api/v1/conversations/${id}`)).status).toBe(404);
    const log = await admin.get<{ items: unknown[] }>('/api/v1/admin/audit-logs?action=conversation.delete');
    expect(log.body.items).toMatchObject([{ targetId: id, after: { reason: 'spam' } }]);
    const whole = await admin.get<string>('/api/v1/admin/audit-logs/export');
    expect(whole.body).not.toContain('canary');
  });
});

describe('jobs and permissions', () => {
  it('jobs are listed and run out of turn', async () => {
    const jobs = () =>
      admin
        .get<{ items: { name: string; lastResult: unknown }[] }>('/api/v1/admin/jobs')
        .then(({ body }) => body.items);
    expect((await jobs()).map(({ name }) => name)).toContain('presence.cleanup');
    expect(await admin.post('/api/v1/admin/jobs/presence.cleanup/run')).toMatchObject({
      status: 202,
      body: { runId: expect.any(String) },
    });
    const result = async () => (await jobs()).find(({ name }) => name === 'presence.cleanup')?.lastResult;
    while (!(await result()));
    expect(await result()).toMatchObject({ ok: true });
    expect(code(await admin.post('/api/v1/admin/jobs/nothing/run'))).toEqual([404, 'not_found']);
  });

  it('the map names every route of a permission', async () => {
    const { body } = await admin.get<{ items: { name: string; routes: { method: string; path: string }[] }[] }>(
      '/api/v1/admin/permissions',
    );
    expect(body.items.find(({ name }) => name === 'audit.read')?.routes).toContainEqual(
      expect.objectContaining({ method: 'GET', path: '/api/v1/admin/audit-logs/verify' }),
    );
  });
});
