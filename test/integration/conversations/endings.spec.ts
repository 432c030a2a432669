import { ConversationsConsumer } from '../../../src/modules/conversations/conversations.consumer.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { type Person, register, registerMany } from '../../support/people.js';
import { addMembers, conversations, create, feedOf, room, setRole, show } from './support.js';

let app: TestApp;
let first: Person;
let second: Person;
beforeAll(async () => {
  app = await createTestApp();
  [first, second] = (await registerMany(app.url, 2)) as [Person, Person];
});
afterAll(() => app.close());

const erase = (person: Person) =>
  app.app.nest.get(ConversationsConsumer).onErased({ id: 'event', topic: 'user.erased', key: person.id, payload: {} });
const membershipOf = async (id: string, person: Person) => {
  const rows = await query<{ state: string; role: string }>(
    'SELECT state, role FROM memberships WHERE conversation_id = $1 AND user_id = $2',
    [id, person.id],
    app.databaseUrl,
  );
  return rows[0];
};

describe('an erased account', () => {
  it('leaves every conversation; what it alone owned passes to the oldest admin, else the oldest member', async () => {
    const gone = await register(app.url);
    const withAdmin = await room([gone, first, second]);
    await setRole(gone, withAdmin.id, second.id, 'admin');
    const withMembers = await room([gone, first]);
    await addMembers(gone, withMembers.id, [second.id]);
    const alone = await room([gone]);
    const guest = await room([first, gone]);
    const { body: pair } = await create(gone, { type: 'direct', memberIds: [first.id] });
    await gone.put(`${conversations}/${guest.id}/draft`, { body: 'x' });

    await erase(gone);
    const once = await feedOf(app.databaseUrl, withAdmin.id);
    await erase(gone);
    expect(await feedOf(app.databaseUrl, withAdmin.id)).toEqual(once);

    for (const { id } of [withAdmin, withMembers, alone, guest, pair]) {
      expect(await membershipOf(id, gone)).toMatchObject({ state: 'left' });
      const { revs, head } = await feedOf(app.databaseUrl, id);
      expect(revs.at(-1)).toBe(head);
    }
    expect((await show(second, withAdmin.id)).body.me.role).toBe('owner');
    expect((await show(first, withAdmin.id)).body.me.role).toBe('member');
    expect((await show(first, withMembers.id)).body.me.role).toBe('owner');
    expect((await show(first, guest.id)).body).toMatchObject({ memberCount: 1, me: { role: 'owner' } });
    expect((await show(first, pair.id)).body.memberCount).toBe(1);
    const [row] = await query<{ deleted: boolean }>(
      'SELECT deleted_at IS NOT NULL AS deleted FROM conversations WHERE id = $1',
      [alone.id],
      app.databaseUrl,
    );
    expect(row?.deleted).toBe(true);
    expect(await query('SELECT FROM drafts WHERE user_id = $1', [gone.id], app.databaseUrl)).toEqual([]);
  });
});

describe('two thousand conversations', () => {
  it('are all a user can be in, by whatever way', async () => {
    const full = await register(app.url);
    await query(
      `WITH c AS (INSERT INTO conversations (id, type, title, settings, created_by, rev)
                  SELECT gen_random_uuid(), 'group', 'x', '{}', $1, 1 FROM generate_series(1, 1999) RETURNING id),
            h AS (INSERT INTO conversation_head (conversation_id, rev) SELECT id, 2 FROM c)
       INSERT INTO memberships (conversation_id, user_id, rev, user_rev) SELECT id, $1, 2, 0 FROM c`,
      [full.id],
      app.databaseUrl,
    );
    const channel = await room([first], { type: 'channel', visibility: 'public' });
    const refused = { status: 422, body: { code: 'limit_exceeded', limit: 'conversations', max: 2000 } };
    const answers = await Promise.all([1, 2, 3].map(() => create(full, { type: 'group', title: 'x' })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status !== 201)) expect(answer).toMatchObject(refused);
    expect(await full.post(`${conversations}/${channel.id}/join`)).toMatchObject(refused);
    expect(await addMembers(first, channel.id, [full.id])).toMatchObject(refused);
    expect(await create(first, { type: 'direct', memberIds: [full.id] })).toMatchObject(refused);
  });
});

describe('an archive of a user’s data', () => {
  it('holds every conversation with the own flags, and every draft', async () => {
    const { id } = await room([first, second], { title: 'Archived' });
    await second.patch(`${conversations}/${id}/me`, { notifyLevel: 'none' });
    await second.put(`${conversations}/${id}/draft`, { body: 'unsent' });
    const { body } = await second.post<{ url: string }>('/api/v1/users/me/exports');
    const lines = (await (await fetch(body.url)).text()).trim().split('\n');
    const rows = lines.map((line) => JSON.parse(line) as { type: string; id?: string; conversationId?: string });
    const mine = await query(
      'SELECT FROM memberships WHERE user_id = $1 AND state = $2',
      [second.id, 'active'],
      app.databaseUrl,
    );
    expect(rows.filter(({ type }) => type === 'conversation')).toHaveLength(mine.length);
    expect(rows.find((row) => row.id === id)).toMatchObject({
      type: 'conversation',
      title: 'Archived',
      me: { notifyLevel: 'none' },
    });
    expect(rows.find((row) => row.conversationId === id && row.type === 'draft')).toMatchObject({ body: 'unsent' });
  });
});
