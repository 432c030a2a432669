import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { HttpClient } from '../../support/http-client.js';
import { type Person, registerMany } from '../../support/people.js';
import {
  addMembers,
  type Conversation,
  conversations,
  create,
  feedOf,
  type Me,
  removeMember,
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
let former: Person;
let stranger: Person;
let spare: Person;
beforeAll(async () => {
  app = await createTestApp({ ROLE: 'api' });
  [owner, admin, member, former, stranger, spare] = (await registerMany(app.url, 6)) as [
    Person,
    Person,
    Person,
    Person,
    Person,
    Person,
  ];
});
afterAll(() => app.close());

type Role = 'owner' | 'admin' | 'member' | 'former' | 'stranger';
const people = (): Record<Role, Person> => ({ owner, admin, member, former, stranger });

/** A room with somebody of each kind. */
async function court(more: Record<string, unknown> = {}): Promise<Conversation> {
  const conversation = await room([owner, admin, member, former], more);
  expect((await setRole(owner, conversation.id, admin.id, 'admin')).status).toBe(200);
  expect((await removeMember(former, conversation.id, 'me')).status).toBe(204);
  return conversation;
}

describe('who may do what', () => {
  type Act = (person: Person, id: string) => Promise<Result<object>>;
  const acts: [string, Act, Record<Role, number>][] = [
    ['see it', show, { owner: 200, admin: 200, member: 200, former: 404, stranger: 404 }],
    [
      'list the members',
      (p, id) => p.get(`${conversations}/${id}/members`),
      { owner: 200, admin: 200, member: 200, former: 404, stranger: 404 },
    ],
    [
      'set their own flags',
      (p, id) => p.patch(`${conversations}/${id}/me`, { pinned: true }),
      { owner: 200, admin: 200, member: 200, former: 404, stranger: 404 },
    ],
    [
      'write a draft',
      (p, id) => p.put(`${conversations}/${id}/draft`, { body: 'x' }),
      { owner: 200, admin: 200, member: 200, former: 404, stranger: 404 },
    ],
    [
      'drop a draft',
      (p, id) => p.delete(`${conversations}/${id}/draft`),
      { owner: 204, admin: 204, member: 204, former: 404, stranger: 404 },
    ],
    [
      'send a receipt',
      (p, id) => p.put(`${conversations}/${id}/receipts`, { read: 1 }),
      { owner: 200, admin: 200, member: 200, former: 404, stranger: 404 },
    ],
    [
      'see receipts',
      (p, id) => p.get(`${conversations}/${id}/receipts`),
      { owner: 200, admin: 200, member: 200, former: 404, stranger: 404 },
    ],
    [
      'see why it is unread',
      (p, id) => p.get(`${conversations}/${id}/unread`),
      { owner: 200, admin: 200, member: 200, former: 404, stranger: 404 },
    ],
    [
      'edit it',
      (p, id) => p.patch(`${conversations}/${id}`, { title: randomUUID() }, { 'if-match': '*' }),
      { owner: 200, admin: 200, member: 403, former: 404, stranger: 404 },
    ],
    [
      'add members',
      (p, id) => addMembers(p, id, [randomUUID()]),
      { owner: 200, admin: 200, member: 403, former: 404, stranger: 404 },
    ],
    [
      'make invites',
      (p, id) => p.post(`${conversations}/${id}/invites`, {}),
      { owner: 201, admin: 201, member: 403, former: 404, stranger: 404 },
    ],
    [
      'see invites',
      (p, id) => p.get(`${conversations}/${id}/invites`),
      { owner: 200, admin: 200, member: 403, former: 404, stranger: 404 },
    ],
    [
      'make admins by invite',
      (p, id) => p.post(`${conversations}/${id}/invites`, { role: 'admin' }),
      { owner: 201, admin: 403, member: 403, former: 404, stranger: 404 },
    ],
    [
      'change roles',
      (p, id) => setRole(p, id, member.id, 'member'),
      { owner: 200, admin: 403, member: 403, former: 404, stranger: 404 },
    ],
    [
      'remove the owner',
      (p, id) => removeMember(p, id, owner.id),
      { owner: 409, admin: 403, member: 403, former: 404, stranger: 404 },
    ],
    [
      'remove somebody who is no member',
      (p, id) => removeMember(p, id, spare.id),
      { owner: 404, admin: 404, member: 403, former: 404, stranger: 404 },
    ],
    [
      'join',
      (p, id) => p.post(`${conversations}/${id}/join`),
      { owner: 200, admin: 200, member: 200, former: 404, stranger: 404 },
    ],
    [
      'delete it',
      (p, id) => p.delete(`${conversations}/${id}`),
      { owner: 204, admin: 403, member: 403, former: 404, stranger: 404 },
    ],
  ];

  let shared: Conversation;
  beforeAll(async () => {
    shared = await court();
  });

  it.each(acts)('%s', async (_, act, expected) => {
    for (const role of ['stranger', 'former', 'member', 'admin', 'owner'] as const) {
      expect([role, (await act(people()[role], shared.id)).status]).toEqual([role, expected[role]]);
    }
  });

  it('a wrong id and a wrong token are told apart from nothing else', async () => {
    expect(await show(owner, 'nonsense')).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(await show(owner, randomUUID())).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await show(new HttpClient(app.url), randomUUID())).toMatchObject({
      status: 401,
      body: { code: 'unauthenticated' },
    });
  });
});

describe('adding', () => {
  it('says of each who was added, who was in already and who cannot be', async () => {
    const { id, head } = await court();
    const unknown = randomUUID();
    const answer = await addMembers(admin, id, [former.id, stranger.id, stranger.id, owner.id, unknown]);
    expect(answer).toMatchObject({
      status: 200,
      body: { already: [owner.id], refused: [{ userId: unknown, code: 'not_found' }] },
    });
    expect(answer.body.added.map(({ userId }) => userId).toSorted()).toEqual([former.id, stranger.id].toSorted());
    const { revs, head: now } = await feedOf(app.databaseUrl, id);
    // Two members and one message; the rows of the returning member and the admin have moved.
    expect(now).toBeGreaterThan(head.rev);
    expect(new Set(revs).size).toBe(revs.length);
    expect(answer.body.added.map(({ rev }) => rev)).toEqual([now - 2, now - 1]);
    expect(revs.slice(-3)).toEqual([now - 2, now - 1, now]);
    expect((await topicsOf(app.databaseUrl, id)).filter((topic) => topic === 'member.added')).toHaveLength(2);
  });

  it('changes nothing when nobody is new', async () => {
    const { id } = await court();
    const before = await feedOf(app.databaseUrl, id);
    expect(await addMembers(owner, id, [member.id])).toMatchObject({
      status: 200,
      body: { added: [], already: [member.id], refused: [] },
    });
    expect(await feedOf(app.databaseUrl, id)).toEqual(before);
  });

  it('follows the settings: members may invite where they are told so', async () => {
    const { id } = await court({ settings: { whoCanInvite: 'member' } });
    expect((await addMembers(member, id, [stranger.id])).body.added).toHaveLength(1);
  });

  it('lets blocks and privacy decide', async () => {
    const [dan] = (await registerMany(app.url, 1)) as [Person];
    await dan.put(`/api/v1/users/me/blocks/${owner.id}`);
    const { id } = await court();
    expect((await addMembers(owner, id, [dan.id])).body).toMatchObject({
      added: [],
      refused: [{ userId: dan.id, code: 'blocked' }],
    });
  });

  it('is impossible in a direct conversation, like all that would change who is in it', async () => {
    const { body } = await create(owner, { type: 'direct', memberIds: [member.id] });
    expect(await addMembers(owner, body.id, [stranger.id])).toMatchObject({
      status: 409,
      body: { code: 'invalid_state' },
    });
    expect(await removeMember(owner, body.id, 'me')).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    expect(await owner.post(`${conversations}/${body.id}/invites`, {})).toMatchObject({ status: 409 });
    expect(await owner.delete(`${conversations}/${body.id}`)).toMatchObject({
      status: 409,
      body: { code: 'invalid_state' },
    });
    expect(await owner.patch(`${conversations}/${body.id}`, { title: 'x' }, { 'if-match': '*' })).toMatchObject({
      status: 409,
    });
    expect(await setRole(owner, body.id, member.id, 'admin')).toMatchObject({ status: 403 });
  });

  it('at the same time by two people ends as if one had come first', async () => {
    const { id } = await court();
    const [one, two] = await Promise.all([
      addMembers(owner, id, [stranger.id, spare.id]),
      addMembers(admin, id, [spare.id, stranger.id]),
    ]);
    expect([one, two].flatMap(({ body }) => body.added.map(({ userId }) => userId)).toSorted()).toEqual(
      [stranger.id, spare.id].toSorted(),
    );
    const { revs, head } = await feedOf(app.databaseUrl, id);
    expect(new Set(revs).size).toBe(revs.length);
    expect(revs.at(-1)).toBe(head);
  });

  it('stops at the size of the room', async () => {
    const small = await createTestApp({ GROUP_MAX_MEMBERS: '4' }, { databaseUrl: app.databaseUrl });
    try {
      const { id } = await court();
      const there = new HttpClient(small.url, owner.accessToken);
      expect(await addMembers(there, id, [stranger.id, spare.id])).toMatchObject({
        status: 422,
        body: { code: 'limit_exceeded', limit: 'members', max: 4 },
      });
      expect((await addMembers(there, id, [spare.id])).body.added).toHaveLength(1);
    } finally {
      await small.close();
    }
  });

  it.each<[string, unknown]>([
    ['nobody', { userIds: [] }],
    ['too many', { userIds: upTo(101).map(() => randomUUID()) }],
    ['no list', { userIds: 'bob' }],
    ['no ids', { userIds: ['bob'] }],
    ['nothing', {}],
  ])('refuses %s', async (_, body) => {
    const { id } = await room([owner]);
    expect(await owner.post(`${conversations}/${id}/members`, body)).toMatchObject({
      status: 400,
      body: { code: 'validation_failed' },
    });
  });
});

describe('history for new members', () => {
  it('is all of it, or what comes after they came; nothing is unread for them', async () => {
    for (const [historyForNewMembers, visibleFromSeq] of [
      ['all', 1],
      ['none', 2],
    ] as const) {
      const { id } = await room([owner], { settings: { historyForNewMembers } });
      await addMembers(owner, id, [member.id]);
      const { body } = await show(member, id);
      expect(body.me).toMatchObject({ visibleFromSeq, readSeq: body.head.seq, deliveredSeq: body.head.seq, unread: 0 });
    }
  });
});

describe('leaving and being removed', () => {
  it('ends access at once, draws one rev and one message, and cannot be repeated', async () => {
    const { id } = await court();
    const before = await feedOf(app.databaseUrl, id);
    expect((await removeMember(admin, id, member.id)).status).toBe(204);
    expect((await show(member, id)).status).toBe(404);
    expect((await feedOf(app.databaseUrl, id)).head).toBe(before.head + 2);
    expect((await removeMember(member, id, 'me')).status).toBe(404);
    expect((await removeMember(admin, id, member.id)).status).toBe(404);
    const { body } = await owner.get<{ items: { userId: string }[]; count: number }>(`${conversations}/${id}/members`);
    expect(body.count).toBe(2);
    expect(body.items.map(({ userId }) => userId)).not.toContain(member.id);
  });

  it('keeps the last owner while there are others, and ends with the last member', async () => {
    const { id } = await court();
    expect(await removeMember(owner, id, owner.id)).toMatchObject({ status: 409, body: { code: 'last_owner' } });
    expect(await setRole(owner, id, owner.id, 'member')).toMatchObject({ status: 409, body: { code: 'last_owner' } });
    expect((await setRole(owner, id, admin.id, 'owner')).body.role).toBe('owner');
    expect((await removeMember(owner, id, 'me')).status).toBe(204);
    expect((await removeMember(admin, id, member.id)).status).toBe(204);
    expect((await removeMember(admin, id, 'me')).status).toBe(204);
    expect((await show(admin, id)).status).toBe(404);
    expect(await topicsOf(app.databaseUrl, id)).toContain('conversation.deleted');
    const { revs, head } = await feedOf(app.databaseUrl, id);
    expect(revs.at(-1)).toBe(head);
  });

  it('spares equals: no admin removes an admin, no owner an owner', async () => {
    const { id } = await court();
    await addMembers(owner, id, [spare.id]);
    await setRole(owner, id, spare.id, 'admin');
    expect(await removeMember(admin, id, spare.id)).toMatchObject({ status: 403, body: { code: 'role_insufficient' } });
    await setRole(owner, id, spare.id, 'owner');
    expect(await removeMember(owner, id, spare.id)).toMatchObject({ status: 403, body: { code: 'role_insufficient' } });
    await setRole(owner, id, spare.id, 'member');
    expect((await removeMember(admin, id, spare.id)).status).toBe(204);
  });

  it('happens once when one leaves while being removed', async () => {
    for (const round of upTo(5)) {
      const { id } = await court();
      const before = await feedOf(app.databaseUrl, id);
      const answers = await Promise.all([
        removeMember(member, id, 'me'),
        removeMember(owner, id, member.id),
        removeMember(admin, id, member.id),
      ]);
      expect([round, ...statuses(answers)]).toEqual([round, 204, 404, 404]);
      expect((await feedOf(app.databaseUrl, id)).head).toBe(before.head + 2);
    }
  });

  it('leaves one owner when two owners leave at the same time', async () => {
    const { id } = await court();
    await setRole(owner, id, admin.id, 'owner');
    const answers = await Promise.all([removeMember(owner, id, 'me'), removeMember(admin, id, 'me')]);
    expect(statuses(answers)).toEqual([204, 409]);
  });

  it('draws no number for a removed member, however close the send', async () => {
    for (const round of upTo(5)) {
      const { id } = await court();
      const send = (i: number) =>
        member.post<{ message: { rev: number } }>(`${conversations}/${id}/messages`, {
          clientId: randomUUID(),
          body: `${i}`,
        });
      const [removal, ...sends] = await Promise.all([removeMember(owner, id, member.id), ...upTo(8).map(send)]);
      expect([round, removal?.status]).toEqual([round, 204]);
      const { body } = await owner.get<{ items: { userId: string; rev: number }[] }>(`${conversations}/${id}/members`);
      expect(body.items.map(({ userId }) => userId)).not.toContain(member.id);
      const [row] = await rowsOf(id, member.id);
      for (const { status, body: sent } of sends as Result<{ message: { rev: number } }>[]) {
        expect([201, 404]).toContain(status);
        if (status === 201) expect(sent.message.rev).toBeLessThan(row?.rev ?? 0);
      }
      const { revs, head } = await feedOf(app.databaseUrl, id);
      expect(revs.at(-1)).toBe(head);
      expect((await send(9)).status).toBe(404);
    }
  });

  const rowsOf = async (id: string, userId: string) => {
    const { query } = await import('../../support/database.js');
    const rows = await query<{ rev: string }>(
      'SELECT rev FROM memberships WHERE conversation_id = $1 AND user_id = $2',
      [id, userId],
      app.databaseUrl,
    );
    return rows.map(({ rev }) => ({ rev: Number(rev) }));
  };
});

describe('coming back', () => {
  it('begins anew: role, flags and watermarks of before are gone', async () => {
    const { id } = await court();
    await setRole(owner, id, member.id, 'admin');
    await member.patch(`${conversations}/${id}/me`, { pinned: true, notifyLevel: 'none' });
    await removeMember(member, id, 'me');
    await addMembers(owner, id, [member.id]);
    const { body } = await show(member, id);
    expect(body.me).toMatchObject({
      role: 'member',
      pinnedAt: null,
      notifyLevel: 'default',
      unread: 0,
      readSeq: body.head.seq,
    });
  });
});

describe('a public channel', () => {
  it('is found and joined by anybody, once', async () => {
    const title = `Chess ${randomUUID()}`;
    const { id } = await room([owner], { type: 'channel', visibility: 'public', title });
    const found = await stranger.get<{ items: Conversation[] }>(
      `${conversations}/discover?query=${encodeURIComponent(title.slice(2, 20))}`,
    );
    expect(found.body.items).toContainEqual(expect.objectContaining({ id, title, memberCount: 1 }));
    expect((await show(stranger, id)).status).toBe(404);
    const answers = await Promise.all(
      upTo(3).map(() => stranger.post<{ conversation: Conversation; joined: boolean }>(`${conversations}/${id}/join`)),
    );
    expect(answers.filter(({ body }) => body.joined)).toHaveLength(1);
    expect(answers.map(({ body }) => body.conversation.memberCount)).toEqual([2, 2, 2]);
    expect((await show(stranger, id)).body.me.role).toBe('member');
  });

  it('is neither found nor joined when it is private or a group', async () => {
    const title = randomUUID();
    const hidden = await room([owner], { type: 'channel', title });
    const group = await room([owner], { title });
    const found = await stranger.get<{ items: Conversation[] }>(`${conversations}/discover?query=${title}`);
    expect(found.body.items).toEqual([]);
    for (const { id } of [hidden, group]) expect((await stranger.post(`${conversations}/${id}/join`)).status).toBe(404);
  });

  it('matches the text as it stands', async () => {
    await room([owner], { type: 'channel', visibility: 'public', title: 'a_b' });
    const found = await stranger.get<{ items: Conversation[] }>(
      `${conversations}/discover?query=${encodeURIComponent('_%')}`,
    );
    expect(found.body.items).toEqual([]);
  });
});

describe('what a member sets for themselves', () => {
  const set = (id: string, body: unknown): Promise<Result<Me>> => member.patch(`${conversations}/${id}/me`, body);

  it('is kept, changed one by one, and moves nothing of the conversation', async () => {
    const { id } = await court();
    const before = await feedOf(app.databaseUrl, id);
    const mutedUntil = '2100-01-01T00:00:00.000Z';
    expect((await set(id, { notifyLevel: 'mentions', mutedUntil, pinned: true })).body).toMatchObject({
      notifyLevel: 'mentions',
      mutedUntil,
    });
    const pinned = (await set(id, { archived: true, markedUnread: true })).body;
    expect(pinned).toMatchObject({
      notifyLevel: 'mentions',
      mutedUntil,
      markedUnread: true,
      archivedAt: expect.any(String),
    });
    expect((await set(id, { pinned: true, mutedUntil: null })).body).toMatchObject({
      pinnedAt: pinned.pinnedAt,
      mutedUntil: null,
    });
    expect((await set(id, { pinned: false, archived: false })).body).toMatchObject({
      pinnedAt: null,
      archivedAt: null,
    });
    expect(await feedOf(app.databaseUrl, id)).toEqual(before);
  });

  it('moves the own feed by one for a change, and not at all without', async () => {
    const { id } = await court();
    const feed = async () => {
      const { body } = await member.get<{ changes: { t: string; v: { conversationId: string } }[]; upTo: number }>(
        '/api/v1/users/me/changes?after=0',
      );
      return body.upTo;
    };
    const before = await feed();
    await set(id, { pinned: true });
    await set(id, { pinned: true });
    expect(await feed()).toBe(before + 1);
  });

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['another level', { notifyLevel: 'loud' }],
    ['a time that is none', { mutedUntil: 'tomorrow' }],
    ['pinned as text', { pinned: 'yes' }],
    ['an unknown member', { colour: 'red' }],
  ])('refuses %s', async (_, body) => {
    const { id } = await room([owner, member]);
    expect(await set(id, body)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
  });
});
