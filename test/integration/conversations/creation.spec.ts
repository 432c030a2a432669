import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import { type Person, registerMany } from '../../support/people.js';
import { conversations, create, feedOf, room, show, upTo } from './support.js';

let app: TestApp;
let ann: Person;
let bob: Person;
let cid: Person;
beforeAll(async () => {
  app = await createTestApp();
  [ann, bob, cid] = (await registerMany(app.url, 3)) as [Person, Person, Person];
});
afterAll(() => app.close());

const privacy = async (person: Person, change: Record<string, string>) => {
  const { body } = await person.get<{ privacy: object }>('/api/v1/users/me/preferences');
  const { status } = await person.put(
    '/api/v1/users/me/preferences',
    { ...body, privacy: { ...body.privacy, ...change } },
    { 'if-match': '*' },
  );
  expect(status).toBe(200);
};

describe('a direct conversation', () => {
  it('is made once for a pair, whoever asks', async () => {
    const first = await create(ann, { type: 'direct', memberIds: [bob.id] });
    expect(first).toMatchObject({
      status: 201,
      body: {
        type: 'direct',
        title: null,
        memberCount: 2,
        head: { seq: 0, rev: 3 },
        me: { role: 'member', state: 'active', unread: 0 },
      },
    });
    expect(first.headers.get('location')).toBe(`${conversations}/${first.body.id}`);
    const again = await create(bob, { type: 'direct', memberIds: [ann.id] });
    expect(again).toMatchObject({ status: 200, body: { id: first.body.id } });
    expect(await feedOf(app.databaseUrl, first.body.id)).toEqual({ head: 3, revs: [1, 2, 3] });
  });

  it('is one, however often and from both sides it is asked for at the same time', async () => {
    const pair = (await registerMany(app.url, 2)) as [Person, Person];
    const answers = await Promise.all(
      upTo(20).map((i) => {
        const [from, to] = i % 2 ? pair : pair.toReversed();
        return create(from as Person, { type: 'direct', memberIds: [to?.id] });
      }),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(19);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    const id = answers[0]?.body.id ?? '';
    expect(await feedOf(app.databaseUrl, id)).toEqual({ head: 3, revs: [1, 2, 3] });
  });

  it.each([
    ['nobody', () => []],
    ['oneself', () => [ann.id]],
    ['two others', () => [bob.id, cid.id]],
  ])('is not made with %s', async (_, memberIds) => {
    expect(await create(ann, { type: 'direct', memberIds: memberIds() })).toMatchObject({
      status: 400,
      body: { code: 'validation_failed', errors: [{ path: 'memberIds' }] },
    });
  });

  it('is not made with somebody unknown', async () => {
    expect(await create(ann, { type: 'direct', memberIds: [randomUUID()] })).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });

  it.each([{ title: 'x' }, { description: 'x' }, { visibility: 'private' }, { settings: { slowModeSec: 1 } }])(
    'has none of %j',
    async (more) => {
      const answer = await create(ann, { type: 'direct', memberIds: [cid.id], ...more });
      expect(answer).toMatchObject({
        status: 400,
        body: { code: 'validation_failed', errors: [{ path: Object.keys(more)[0] }] },
      });
    },
  );

  it('is refused by a block either way, and by privacy', async () => {
    const [dan, eve] = (await registerMany(app.url, 2)) as [Person, Person];
    expect((await dan.put(`/api/v1/users/me/blocks/${eve.id}`)).status).toBe(204);
    for (const [from, to] of [
      [dan, eve],
      [eve, dan],
    ] as const) {
      expect(await create(from, { type: 'direct', memberIds: [to.id] })).toMatchObject({
        status: 403,
        body: { code: 'blocked' },
      });
    }
    await privacy(eve, { whoCanMessage: 'contacts' });
    expect(await create(ann, { type: 'direct', memberIds: [eve.id] })).toMatchObject({
      status: 403,
      body: { code: 'privacy_restricted' },
    });
    expect((await eve.put(`/api/v1/users/me/contacts/${ann.id}`)).status).toBe(204);
    expect((await create(ann, { type: 'direct', memberIds: [eve.id] })).status).toBe(201);
  });
});

describe('a group', () => {
  it('begins with its owner, its members and a message that says so, each with a rev', async () => {
    const group = await room([ann, bob, cid], { title: '  Trip  ', description: 'Plans' });
    expect(group).toMatchObject({
      type: 'group',
      title: 'Trip',
      description: 'Plans',
      visibility: 'private',
      memberCount: 3,
      settings: {
        whoCanPost: 'member',
        whoCanInvite: 'admin',
        whoCanPin: 'admin',
        whoCanMentionAll: 'admin',
        historyForNewMembers: 'all',
        slowModeSec: 0,
      },
      head: { seq: 1, rev: 5 },
      me: { role: 'owner', readSeq: 1, deliveredSeq: 1, unread: 0, visibleFromSeq: 1 },
    });
    expect((await show(bob, group.id)).body.me).toMatchObject({ role: 'member', readSeq: 1, unread: 0 });
    expect(await feedOf(app.databaseUrl, group.id)).toEqual({ head: 5, revs: upTo(5) });
  });

  it('is refused as a whole when one member cannot be added', async () => {
    const shy = (await registerMany(app.url, 1))[0] as Person;
    await privacy(shy, { whoCanAdd: 'contacts' });
    const answer = await create(ann, { type: 'group', title: 'x', memberIds: [bob.id, shy.id] });
    expect(answer).toMatchObject({
      status: 403,
      body: { code: 'privacy_restricted', errors: [{ path: 'memberIds' }] },
    });
    expect(await create(ann, { type: 'group', title: 'x', memberIds: [randomUUID()] })).toMatchObject({ status: 404 });
  });

  it('counts everybody once', async () => {
    expect(await room([ann, bob, bob, ann])).toMatchObject({ memberCount: 2 });
  });
});

describe('a channel', () => {
  it('lets admins post, and can be public', async () => {
    const channel = await room([ann], { type: 'channel', visibility: 'public', settings: { slowModeSec: 5 } });
    expect(channel).toMatchObject({ visibility: 'public', settings: { whoCanPost: 'admin', slowModeSec: 5 } });
  });
});

describe('input that is refused', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['no type', { type: undefined }, 'type'],
    ['another type', { type: 'party' }, 'type'],
    ['no title', { title: undefined }, 'title'],
    ['null for a title', { title: null }, 'title'],
    ['an empty title', { title: '   ' }, 'title'],
    ['a long title', { title: 'x'.repeat(121) }, 'title'],
    ['a title with NUL', { title: 'a\u0000b' }, 'title'],
    ['a title that is no text', { title: 7 }, 'title'],
    ['a long description', { description: 'x'.repeat(2001) }, 'description'],
    ['a public group', { visibility: 'public' }, 'visibility'],
    ['members that are no ids', { memberIds: ['bob'] }, 'memberIds.0'],
    ['too many members', { memberIds: upTo(101).map(() => randomUUID()) }, 'memberIds'],
    ['an unknown setting', { settings: { colour: 'red' } }, 'settings'],
    ['slow mode over an hour', { settings: { slowModeSec: 3601 } }, 'settings.slowModeSec'],
    ['an unknown member', { colour: 'red' }, ''],
  ])('%s', async (_, change, path) => {
    const answer = await create(ann, { type: 'group', title: 'Room', memberIds: [bob.id], ...change });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ path }] } });
  });
});

it('has room for as many members as configured', async () => {
  const small = await createTestApp({ GROUP_MAX_MEMBERS: '2' }, { databaseUrl: app.databaseUrl });
  try {
    const there = new HttpClient(small.url, ann.accessToken);
    const answer = await create(there, { type: 'group', title: 'x', memberIds: [bob.id, cid.id] });
    expect(answer).toMatchObject({ status: 422, body: { code: 'limit_exceeded', limit: 'members', max: 2 } });
  } finally {
    await small.close();
  }
});
