import { createAdmin, registerWithRoles } from '../../support/admins.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { connect, type Person, register } from '../../support/people.js';
import { GrantsChanged } from '../../../src/platform/auth/auth.events.js';
import { EventsService } from '../../../src/platform/events/events.service.js';
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
afterEach(() => jest.restoreAllMocks());

const set = (by: HttpClient, userId: string, overrides: { granted?: string[]; denied?: string[] }) =>
  by.put(`/api/v1/admin/users/${userId}/permissions`, overrides);
const code = ({ status, body }: { status: number; body: Record<string, unknown> }) => [status, body['code']];
const onSocket = (person: Person, permission: 'reports.read' | 'audit.read'): boolean[] =>
  [...there.app.nest.get(Sockets).of(person.id)].map(({ actor }) => actor.can(permission));
const until = async (test: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await test())) await new Promise((resolve) => setImmediate(resolve));
};

it('give a permission more and one less, on every replica and on open sockets', async () => {
  const person = await registerWithRoles(here.url, admin, 'moderator');
  const elsewhere = new HttpClient(there.url, person.accessToken);
  const socket = await connect({ ...person, url: there.url });
  expect((await elsewhere.get('/api/v1/admin/reports')).status).toBe(200);
  expect(await set(admin, person.id, { granted: ['audit.read'], denied: ['reports.read'] })).toMatchObject({
    status: 200,
    body: {
      granted: ['audit.read'],
      denied: ['reports.read'],
      roles: ['user', 'moderator'],
      permissions: expect.not.arrayContaining(['reports.read']),
    },
  });
  await until(async () => (await elsewhere.get('/api/v1/admin/reports')).status === 403);
  expect((await elsewhere.get('/api/v1/admin/audit-logs')).status).toBe(200);
  await until(() => onSocket(person, 'audit.read').every(Boolean) && !onSocket(person, 'reports.read').some(Boolean));
  expect((await person.get<{ permissions: string[] }>('/api/v1/users/me')).body.permissions).toContain('audit.read');
  expect((await admin.get(`/api/v1/admin/users/${person.id}/permissions`)).body).toMatchObject({
    granted: ['audit.read'],
    denied: ['reports.read'],
  });
  await set(admin, person.id, {});
  await until(async () => (await elsewhere.get('/api/v1/admin/audit-logs')).status === 403);
  await until(() => onSocket(person, 'reports.read').every(Boolean));
  socket.close();
});

it('reach open sockets even when no replica says so', async () => {
  const person = await register(here.url);
  const socket = await connect({ ...person, url: there.url });
  const events = here.app.nest.get(EventsService);
  const announce = events.announce.bind(events);
  jest.spyOn(events, 'announce').mockImplementation((event, view) => {
    if (!(event instanceof GrantsChanged)) announce(event, view);
  });
  await set(admin, person.id, { granted: ['audit.read'] });
  await until(() => onSocket(person, 'audit.read').every(Boolean));
  await until(async () => {
    const answer = await new HttpClient(there.url, person.accessToken).get('/api/v1/admin/audit-logs');
    return answer.status === 200;
  });
  socket.close();
});

it('leave an entry in the audit log, and none when nothing changes', async () => {
  const person = await register(here.url);
  await set(admin, person.id, { granted: ['audit.read'] });
  await set(admin, person.id, { granted: ['audit.read', 'audit.read'] });
  const log = await admin.get<{ items: { targetId: string }[] }>('/api/v1/admin/audit-logs?action=user.permissions');
  expect(log.body.items.filter(({ targetId }) => targetId === person.id)).toMatchObject([
    { before: { granted: [], denied: [] }, after: { granted: ['audit.read'], denied: [] } },
  ]);
});

it('are in the gift of nobody who lacks the permission, neither to grant nor to deny nor to lift', async () => {
  const role = 'granter-of-roles';
  await admin.post('/api/v1/admin/roles', { name: role, permissions: ['roles.read', 'roles.write'] });
  const granter = await registerWithRoles(here.url, admin, role);
  const person = await register(here.url);
  for (const overrides of [{ granted: ['audit.read'] }, { denied: ['audit.read'] }])
    expect(await set(granter, person.id, overrides)).toMatchObject({
      status: 403,
      body: { code: 'forbidden', permission: 'audit.read' },
    });
  await set(admin, person.id, { denied: ['audit.read'] });
  expect(code(await set(granter, person.id, {}))).toEqual([403, 'forbidden']);
  expect(code(await set(granter, admin.id, { denied: ['roles.write'] }))).toEqual([409, 'last_admin']);
  expect((await set(granter, person.id, { granted: ['roles.read'], denied: ['audit.read'] })).status).toBe(200);
  expect((await person.get('/api/v1/admin/roles')).status).toBe(200);
});

it('leave one admin who may everything', async () => {
  expect(code(await set(admin, admin.id, { denied: ['roles.write'] }))).toEqual([409, 'last_admin']);
  const second = await registerWithRoles(here.url, admin, 'admin');
  expect((await set(admin, second.id, { denied: ['audit.read'] })).status).toBe(200);
  // An admin who is denied something does not count.
  expect(code(await admin.put(`/api/v1/admin/users/${admin.id}/roles`, { roles: [] }))).toEqual([409, 'last_admin']);
  expect((await set(admin, second.id, {})).status).toBe(200);
  expect((await set(second, admin.id, { denied: ['audit.read'] })).status).toBe(200);
  expect((await set(second, admin.id, {})).status).toBe(200);
});

it('are refused for what is unknown or contradicts itself', async () => {
  const person = await register(here.url);
  for (const overrides of [
    { granted: ['everything'] },
    { granted: ['audit.read'], denied: ['audit.read'] },
    { permissions: ['audit.read'] },
  ])
    expect(code(await set(admin, person.id, overrides as never))).toEqual([400, 'validation_failed']);
});

it('and roles and presence go with the person who is erased', async () => {
  const person = await registerWithRoles(here.url, admin, 'moderator');
  await set(admin, person.id, { granted: ['audit.read'] });
  await person.put('/api/v1/presence/me', { mode: 'dnd' });
  expect((await admin.delete(`/api/v1/admin/users/${person.id}?erase=true`)).status).toBe(202);
  const held = (): Promise<unknown[]> =>
    query(
      `SELECT user_id FROM user_roles WHERE user_id = $1 UNION ALL SELECT user_id FROM user_permissions WHERE user_id = $1
       UNION ALL SELECT user_id FROM presence_state WHERE user_id = $1`,
      [person.id],
      here.databaseUrl,
    );
  await until(async () => (await held()).length === 0);
});
