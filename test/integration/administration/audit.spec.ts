import { randomUUID } from 'node:crypto';
import { createAdmin } from '../../support/admins.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { type Person, register, registerMany } from '../../support/people.js';
import { AuditService } from '../../../src/modules/administration/audit.service.js';

interface Entry extends Record<string, unknown> {
  id: string;
  at: string;
  hash: string;
  action: string;
  targetId: string;
}

let here: TestApp;
let there: TestApp;
let admin: Person;
let elsewhere: HttpClient;
beforeEach(async () => {
  here = await createTestApp();
  there = await createTestApp({}, { databaseUrl: here.databaseUrl });
  admin = await createAdmin(here);
  elsewhere = new HttpClient(there.url, admin.accessToken);
});
afterEach(async () => {
  await there.close();
  await here.close();
});

const entries = async (filter = '', limit = 100) =>
  (await admin.get<{ items: Entry[] }>(`/api/v1/admin/audit-logs?limit=${limit}${filter}`)).body.items;
const verify = async (anchor = '') => (await admin.get(`/api/v1/admin/audit-logs/verify${anchor}`)).body;
const rename = (id: string, displayName = 'Renamed') => admin.patch(`/api/v1/admin/users/${id}`, { displayName });
const sql = (text: string, values: unknown[] = []) => query<{ id: string }>(text, values, here.databaseUrl);
/** As somebody does who owns the database. */
async function force(text: string, values: unknown[] = []): Promise<void> {
  await sql(`ALTER TABLE audit_logs DISABLE TRIGGER USER`);
  await sql(text, values);
  await sql(`ALTER TABLE audit_logs ENABLE TRIGGER USER`);
}
/** An installation in which something has been done. */
async function busy(deeds = 6): Promise<Entry[]> {
  const person = await register(here.url);
  for (let i = 0; i < deeds; i++) await rename(person.id, `Name ${i}`);
  return (await entries()).toReversed();
}

it('is filtered, exported line by line, and verified', async () => {
  const all = (await busy()).toReversed();
  const middle = all[3]?.at ?? '';
  expect((await entries(`&to=${middle}`)).every(({ at }) => at < middle)).toBe(true);
  expect(await entries(`&actor=${randomUUID()}`)).toEqual([]);
  expect((await entries('&action=user.update')).map(({ id }) => id)).toEqual(all.slice(0, 6).map(({ id }) => id));
  const lines = (await admin.get<string>('/api/v1/admin/audit-logs/export')).body.trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as Entry).id)).toEqual(all.map(({ id }) => id));
  expect(await verify()).toEqual({
    ok: true,
    checked: all.length,
    brokenAt: null,
    fault: null,
    head: { entries: all.length, hash: all[0]?.hash },
  });
});

it('grows as one chain when many write at once', async () => {
  const people = await registerMany(here.url, 12);
  await Promise.all(
    people.map(({ id }, i) =>
      (i % 2 ? admin : elsewhere).put(`/api/v1/admin/users/${id}/roles`, { roles: ['moderator'] }),
    ),
  );
  expect(await verify()).toMatchObject({ ok: true, checked: 13 });
});

it('refuses changes to everybody, by grant and by trigger', async () => {
  await busy(1);
  const changes = [`UPDATE audit_logs SET action = 'nothing'`, 'DELETE FROM audit_logs', 'TRUNCATE audit_logs'];
  // The superuser, whom no grant stops.
  for (const change of changes) await expect(sql(change)).rejects.toThrow(/append-only/);
  // The owner, as an installation has it whose application migrates: nobody kept the grants.
  const grants = await query<{ grantee: string; privilege: string }>(
    `SELECT g.grantee::regrole::text AS grantee, g.privilege_type AS privilege
     FROM pg_class c, aclexplode(c.relacl) g WHERE c.oid = 'audit_logs'::regclass`,
    [],
    here.databaseUrl,
  );
  expect(grants.length).toBeGreaterThan(0);
  expect(grants.filter(({ privilege }) => ['UPDATE', 'DELETE', 'TRUNCATE'].includes(privilege))).toEqual([]);
  const role = `parley_test_${randomUUID().slice(0, 8)}`;
  await sql(`CREATE ROLE ${role}; ALTER TABLE audit_logs OWNER TO ${role}; GRANT USAGE ON SCHEMA public TO ${role}`);
  try {
    for (const change of changes)
      await expect(sql(`SET ROLE ${role}; ${change}`)).rejects.toThrow(/permission denied for table audit_logs/);
  } finally {
    await sql(`REASSIGN OWNED BY ${role} TO CURRENT_USER; DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

describe('tells when somebody forced it', () => {
  it('to say something else', async () => {
    const written = await busy();
    await force(`UPDATE audit_logs SET target_id = 'somebody else' WHERE id = $1`, [written[3]?.id]);
    expect(await verify()).toMatchObject({ ok: false, fault: 'entry', checked: 3, brokenAt: written[3]?.id });
  });

  it('to forget something in between', async () => {
    const written = await busy();
    await force(`DELETE FROM audit_logs WHERE id = $1`, [written[3]?.id]);
    expect(await verify()).toMatchObject({ ok: false, fault: 'entry', checked: 3, brokenAt: written[4]?.id });
  });

  it('to forget the last entries, and when more is written afterwards', async () => {
    const written = await busy();
    await force(`DELETE FROM audit_logs WHERE id > $1`, [written[3]?.id]);
    expect(await verify()).toMatchObject({ ok: false, fault: 'end', checked: 4, brokenAt: null });
    await rename(admin.id);
    const [after] = await entries('', 1);
    expect(await verify()).toMatchObject({ ok: false, fault: 'entry', checked: 4, brokenAt: after?.id });
  });

  it('to forget the last entries and forged the end, whose seal needs a key', async () => {
    const written = await busy();
    await force(`DELETE FROM audit_logs WHERE id > $1`, [written[3]?.id]);
    await sql(`UPDATE audit_head SET entries = 4, hash = $1`, [written[3]?.hash]);
    expect(await verify()).toMatchObject({ ok: false, fault: 'end', checked: 4 });
    await sql(`DELETE FROM audit_head`);
    expect(await verify()).toMatchObject({ ok: false, fault: 'end', checked: 4, head: null });
    // What is written then does not heal it.
    await rename(admin.id);
    const [after] = await entries('', 1);
    expect(await verify()).toMatchObject({ ok: false, fault: 'entry', brokenAt: after?.id });
  });

  it('to an earlier state as a whole, by a line of the server log', async () => {
    const early = await busy(2);
    const [copy] = await query(`SELECT * FROM audit_head`, [], here.databaseUrl);
    const late = await busy(2);
    const anchor = `?entries=${late.length}&hash=${late.at(-1)?.hash}`;
    expect(await verify(anchor)).toMatchObject({ ok: true });
    await force(`DELETE FROM audit_logs WHERE id > $1`, [early.at(-1)?.id]);
    const { entries: count, hash, seal } = copy as { entries: string; hash: string; seal: string };
    await sql(`UPDATE audit_head SET entries = $1, hash = $2, seal = $3`, [count, hash, seal]);
    expect(await verify()).toMatchObject({ ok: true });
    expect(await verify(anchor)).toMatchObject({ ok: false, fault: 'anchor' });
    expect(await verify(`?entries=1&hash=${late[1]?.hash}`)).toMatchObject({ ok: false, fault: 'anchor' });
    expect(await admin.get('/api/v1/admin/audit-logs/verify?entries=1')).toMatchObject({ status: 400 });
  });
});

it('is part of what it tells: an act whose entry cannot be written does not happen', async () => {
  const [ada, ben] = await registerMany(here.url, 2);
  const group = await ada?.post<{ id: string }>('/api/v1/conversations', {
    type: 'group',
    title: 'T',
    memberIds: [ben?.id],
  });
  const room = `/api/v1/admin/conversations/${group?.body.id}`;
  const sent = await ada?.post<{ message: { seq: number } }>(`/api/v1/conversations/${group?.body.id}/messages`, {
    clientId: randomUUID(),
    body: 'still here',
  });
  const person = `/api/v1/admin/users/${ada?.id}`;
  const report = await ben?.post<{ id: string }>('/api/v1/reports', { userId: ada?.id, reason: 'spam' });
  const upload = await ada?.post<{ mediaId: string }>('/api/v1/media/uploads', {
    name: 'a.png',
    size: 100,
    mime: 'image/png',
    purpose: 'attachment',
  });
  const spy = jest.spyOn(here.app.nest.get(AuditService), 'record').mockRejectedValue(new Error('no room'));
  const identifier = `${randomUUID()}@example.com`;
  for (const act of [
    () => admin.post('/api/v1/admin/users', { identifier, displayName: 'Made' }),
    () => admin.patch(person, { displayName: 'Renamed' }),
    () => admin.post(`${person}/suspend`, { reason: 'test' }),
    () => admin.delete(`${person}/sessions`),
    () => admin.delete(`${person}/sessions/${ada?.sessionId}`),
    () => admin.put(`${person}/roles`, { roles: ['moderator'] }),
    () => admin.put(`${person}/permissions`, { granted: ['users.read'] }),
    () => admin.delete(`${room}/messages/${sent?.body.message.seq}`),
    () => admin.delete(`${room}/members/${ben?.id}`),
    () => admin.delete(room),
    () => admin.post(`/api/v1/admin/media/${upload?.body.mediaId}/quarantine`, { reason: 'test' }),
    () => admin.delete(`/api/v1/admin/media/${upload?.body.mediaId}`),
    () => admin.post('/api/v1/admin/roles', { name: 'unheard-of', permissions: [] }),
    () => admin.patch(`/api/v1/admin/reports/${report?.body.id}`, { state: 'resolved' }),
    () => admin.delete(`${person}?erase=true`),
  ])
    expect(await act()).toMatchObject({ status: 500, body: { code: 'internal_error' } });
  spy.mockRestore();
  expect((await admin.get(person)).body).toMatchObject({ displayName: 'Person 0', state: 'active', roles: ['user'] });
  expect((await ada?.get('/api/v1/users/me'))?.body).toMatchObject({ permissions: [] });
  expect(
    (await ben?.get(`/api/v1/conversations/${group?.body.id}/messages/${sent?.body.message.seq}`))?.body,
  ).toMatchObject({ body: 'still here' });
  expect((await admin.get<{ items: unknown[] }>(`/api/v1/admin/users?query=${identifier}`)).body.items).toEqual([]);
  expect((await admin.get<{ items: { name: string }[] }>('/api/v1/admin/roles')).body.items).not.toContainEqual(
    expect.objectContaining({ name: 'unheard-of' }),
  );
  expect((await admin.get<{ items: unknown[] }>('/api/v1/admin/reports?state=open')).body.items).toHaveLength(1);
});
