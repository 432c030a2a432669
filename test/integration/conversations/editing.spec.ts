import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { type Person, registerMany } from '../../support/people.js';
import {
  type Conversation,
  conversations,
  feedOf,
  type Result,
  room,
  setRole,
  show,
  topicsOf,
  statuses,
  upTo,
} from './support.js';

let app: TestApp;
let owner: Person;
let admin: Person;
let member: Person;
beforeAll(async () => {
  app = await createTestApp({ ROLE: 'api' });
  [owner, admin, member] = (await registerMany(app.url, 3)) as [Person, Person, Person];
});
afterAll(() => app.close());

const edit = (
  id: string,
  body: unknown,
  match: string | undefined = '*',
  person = owner,
): Promise<Result<Conversation>> =>
  person.patch(`${conversations}/${id}`, body, match === undefined ? {} : { 'if-match': match });
const etagOf = async (person: Person, id: string) => (await show(person, id)).headers.get('etag') ?? '';

describe('editing', () => {
  it('changes what is given, merges settings, and tells title and settings apart', async () => {
    const { id, settings } = await room([owner, admin], { description: 'before' });
    const before = await feedOf(app.databaseUrl, id);
    const answer = await edit(id, { title: 'After', settings: { slowModeSec: 30 } });
    expect(answer).toMatchObject({
      status: 200,
      body: { title: 'After', description: 'before', settings: { ...settings, slowModeSec: 30 }, rev: before.head + 1 },
    });
    // The row, and one message for each of both.
    const after = await feedOf(app.databaseUrl, id);
    expect(after.head).toBe(before.head + 3);
    expect(after.revs.slice(-3)).toEqual([before.head + 1, before.head + 2, before.head + 3]);
    expect((await topicsOf(app.databaseUrl, id)).filter((topic) => topic === 'conversation.updated')).toHaveLength(1);
    expect((await edit(id, { description: null })).body.description).toBeNull();
  });

  it('draws nothing when nothing changes', async () => {
    const { id, title } = await room([owner]);
    const before = await feedOf(app.databaseUrl, id);
    expect((await edit(id, { title, settings: { whoCanPin: 'admin' } })).status).toBe(200);
    expect(await feedOf(app.databaseUrl, id)).toEqual(before);
  });

  it('needs If-Match, and a fresh one', async () => {
    const { id } = await room([owner, admin]);
    await setRole(owner, id, admin.id, 'admin');
    const etag = await etagOf(owner, id);
    expect(await owner.patch(`${conversations}/${id}`, { title: 'x' })).toMatchObject({
      status: 428,
      body: { code: 'precondition_required' },
    });
    expect(await edit(id, { title: 'one' }, '"another"')).toMatchObject({
      status: 412,
      body: { code: 'precondition_failed' },
    });
    const done = await edit(id, { title: 'one' }, etag);
    expect(done.status).toBe(200);
    expect(await edit(id, { title: 'two' }, etag, admin)).toMatchObject({ status: 412 });
    expect((await edit(id, { title: 'two' }, done.headers.get('etag') ?? '', admin)).status).toBe(200);
  });

  it('goes once for many who hold the same version', async () => {
    const { id } = await room([owner]);
    const etag = await etagOf(owner, id);
    const answers = await Promise.all(upTo(5).map((i) => edit(id, { title: `Title ${i}` }, etag)));
    expect(statuses(answers)).toEqual([200, 412, 412, 412, 412]);
  });

  it('is not refused because somebody wrote a message, and a new message is not 304', async () => {
    const { id } = await room([owner, member]);
    const etag = await etagOf(owner, id);
    const same = await owner.get(`${conversations}/${id}`, { 'if-none-match': etag });
    expect([same.status, same.headers.get('etag')]).toEqual([304, etag]);
    expect(
      (await member.post(`${conversations}/${id}/messages`, { clientId: randomUUID(), body: 'hello' })).status,
    ).toBe(201);
    expect((await owner.get(`${conversations}/${id}`, { 'if-none-match': etag })).status).toBe(200);
    expect((await edit(id, { title: 'still' }, etag)).status).toBe(200);
  });

  it('makes a channel public, never a group', async () => {
    const channel = await room([owner], { type: 'channel' });
    expect((await edit(channel.id, { visibility: 'public' })).body.visibility).toBe('public');
    const group = await room([owner]);
    expect(await edit(group.id, { visibility: 'public' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'visibility' }] },
    });
  });

  it.each<[string, unknown, string]>([
    ['nothing', {}, ''],
    ['an empty title', { title: '' }, 'title'],
    ['no title', { title: null }, 'title'],
    ['a long title', { title: 'x'.repeat(121) }, 'title'],
    ['an avatar that is no id', { avatarMediaId: 'me.png' }, 'avatarMediaId'],
    ['another visibility', { visibility: 'secret' }, 'visibility'],
    ['another right', { settings: { whoCanPost: 'owner' } }, 'settings.whoCanPost'],
    ['half a second of slow mode', { settings: { slowModeSec: 0.5 } }, 'settings.slowModeSec'],
    ['an unknown member', { title: 'x', type: 'channel' }, ''],
  ])('refuses %s', async (_, body, path) => {
    const { id } = await room([owner]);
    expect(await edit(id, body)).toMatchObject({
      status: 400,
      body: { code: 'validation_failed', errors: [{ path }] },
    });
  });
});

describe('deleting', () => {
  it('ends everything for everybody with one rev', async () => {
    const { id } = await room([owner, admin, member]);
    const before = await feedOf(app.databaseUrl, id);
    expect((await owner.delete(`${conversations}/${id}`)).status).toBe(204);
    for (const person of [owner, admin, member]) expect((await show(person, id)).status).toBe(404);
    expect((await feedOf(app.databaseUrl, id)).head).toBe(before.head + 1);
    expect((await owner.delete(`${conversations}/${id}`)).status).toBe(404);
    expect(
      (await member.post(`${conversations}/${id}/messages`, { clientId: randomUUID(), body: 'too late' })).status,
    ).toBe(404);
    expect(await topicsOf(app.databaseUrl, id)).toContain('conversation.deleted');
    const { body } = await member.get<{ changes: { t: string; v: { conversationId: string; deleted?: true } }[] }>(
      '/api/v1/users/me/changes?after=0&limit=100',
    );
    expect(body.changes.find(({ t, v }) => t === 'membership' && v.conversationId === id)?.v.deleted).toBe(true);
  });
});
