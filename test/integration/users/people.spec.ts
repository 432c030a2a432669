import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { type Person, registerMany } from '../../support/people.js';

let app: TestApp;
beforeAll(async () => {
  app = await createTestApp();
});
afterAll(() => app.close());

interface List {
  items: { id: string; isContact: boolean; isBlocked: boolean; displayName: string }[];
  next: string | null;
}
const etagOf = async (person: Person, path: string) => (await person.get(path)).headers.get('etag') ?? '';
const ids = ({ body }: { body: List }) => body.items.map(({ id }) => id);
const people = async (n: number) => (await registerMany(app.url, n)) as [Person, Person, ...Person[]];
const setPreferences = async (person: Person, privacy: Record<string, unknown>) => {
  const { body, headers } = await person.get<{ privacy: object }>('/api/v1/users/me/preferences');
  const answer = await person.put(
    '/api/v1/users/me/preferences',
    { ...body, privacy: { ...body.privacy, ...privacy } },
    { 'if-match': headers.get('etag') ?? '' },
  );
  expect(answer.status).toBe(200);
};

describe('own profile', () => {
  it('changes under If-Match and takes a new revision', async () => {
    const [ada] = await people(1);
    const etag = await etagOf(ada, '/api/v1/users/me');
    const change = {
      displayName: 'Ada',
      handle: `ada_${ada.id.slice(-8)}`,
      bio: 'One\nTwo',
      locale: 'de-DE',
      timeZone: 'Europe/Berlin',
    };
    expect(await ada.patch('/api/v1/users/me', change)).toMatchObject({
      status: 428,
      body: { code: 'precondition_required' },
    });
    const changed = await ada.patch('/api/v1/users/me', change, { 'if-match': etag });
    expect(changed).toMatchObject({ status: 200, body: { ...change, rev: 2 } });
    expect(changed.headers.get('etag')).not.toBe(etag);
    expect(await ada.patch('/api/v1/users/me', { bio: null }, { 'if-match': etag })).toMatchObject({
      status: 412,
      body: { code: 'precondition_failed' },
    });
    expect(await ada.patch('/api/v1/users/me', { bio: null }, { 'if-match': '*' })).toMatchObject({
      status: 200,
      body: { bio: null, rev: 3 },
    });
  });

  it('stays as it is when nothing changes', async () => {
    const [ada] = await people(1);
    const { body } = await ada.get<{ displayName: string }>('/api/v1/users/me');
    const same = await ada.patch('/api/v1/users/me', { displayName: ` ${body.displayName} ` }, { 'if-match': '*' });
    expect(same.body).toEqual(body);
  });

  it('is not sent again to who has it', async () => {
    const [ada] = await people(1);
    const etag = await etagOf(ada, '/api/v1/users/me');
    const again = await ada.get('/api/v1/users/me', { 'if-none-match': etag });
    expect([again.status, again.body]).toEqual([304, '']);
    expect(again.headers.get('etag')).toBe(etag);
  });

  it('loses no change of two at once', async () => {
    const [ada] = await people(1);
    const etag = await etagOf(ada, '/api/v1/users/me');
    const answers = await Promise.all(
      ['A', 'B', 'C'].map((displayName) => ada.patch('/api/v1/users/me', { displayName }, { 'if-match': etag })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(2);
  });

  it('cannot take a handle that is taken', async () => {
    const [ada, bob] = await people(2);
    const handle = `h${ada.id.slice(-10)}`;
    await ada.patch('/api/v1/users/me', { handle }, { 'if-match': '*' });
    expect(await bob.patch('/api/v1/users/me', { handle }, { 'if-match': '*' })).toMatchObject({
      status: 409,
      body: { errors: [{ path: 'handle' }] },
    });
  });

  it.each([
    [{ displayName: '' }, 'displayName', 'too_short'],
    [{ displayName: '\u200b' }, 'displayName', 'too_short'],
    [{ bio: 'x'.repeat(501) }, 'bio', 'too_long'],
    [{ bio: 'a\u0000' }, 'bio', 'control_character'],
    [{ locale: 'not a locale' }, 'locale', 'invalid_locale'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone', 'invalid_time_zone'],
    [{ timeZone: '+02:00' }, 'timeZone', 'invalid_time_zone'],
    [{ avatarMediaId: 'x' }, 'avatarMediaId', 'invalid_format'],
    [{ handle: 'ⅰⅱⅲ' }, 'handle', 'invalid_format'],
    [{ state: 'active' }, '', 'unrecognized_keys'],
    [{ rev: 1 }, '', 'unrecognized_keys'],
    [{ emailVerified: true }, '', 'unrecognized_keys'],
  ])('refuses %j', async (change, path, code) => {
    const [ada] = await people(1);
    const answer = await ada.patch('/api/v1/users/me', change, { 'if-match': '*' });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed', errors: [{ path, code }] } });
  });
});

describe('other people', () => {
  it('are seen without addresses', async () => {
    const [ada, bob] = await people(2);
    const { status, body } = await ada.get(`/api/v1/users/${bob.id}`);
    expect(status).toBe(200);
    expect(Object.keys(body).toSorted().join(' ')).toBe(
      'avatarMediaId bio displayName handle id isBlocked isContact isOnline lastSeen state',
    );
  });

  it('that do not exist are not found', async () => {
    const [ada] = await people(1);
    expect(await ada.get(`/api/v1/users/${randomUUID()}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await ada.get('/api/v1/users/%00')).toMatchObject({ status: 400 });
  });

  it('come by ids in the order asked, unknown ones left out', async () => {
    const [ada, bob, cy] = (await people(3)) as [Person, Person, Person];
    const list = await ada.get<List>(`/api/v1/users?ids=${cy.id},${randomUUID()},${bob.id},${cy.id}`);
    expect(ids(list)).toEqual([cy.id, bob.id]);
  });

  it.each([
    '',
    'query=a',
    'query=ab&ids=1',
    'ids=1',
    `ids=${Array(101).fill(randomUUID()).join(',')}`,
    'query=ab&limit=0',
    'query=ab&limit=101',
    'query=ab&page=2',
  ])('are not searched by ?%s', async (search) => {
    const [ada] = await people(1);
    expect(await ada.get(`/api/v1/users?${search}`)).toMatchObject({
      status: 400,
      body: { code: 'validation_failed' },
    });
  });

  it('are found by handle prefix, name and exact address, best first, page by page', async () => {
    const [ada, bob, cy] = (await people(3)) as [Person, Person, Person];
    const word = `q${randomUUID().slice(0, 8)}`;
    await bob.patch('/api/v1/users/me', { handle: `${word}_bob` }, { 'if-match': '*' });
    await cy.patch('/api/v1/users/me', { displayName: `Cy ${word.toUpperCase()} Cyson` }, { 'if-match': '*' });
    expect(ids(await ada.get<List>(`/api/v1/users?query=${word}`))).toEqual([bob.id, cy.id]);
    expect(ids(await ada.get<List>(`/api/v1/users?query=${encodeURIComponent(cy.identifier.toUpperCase())}`))).toEqual([
      cy.id,
    ]);
    const first = await ada.get<List>(`/api/v1/users?query=${word}&limit=1`);
    const second = await ada.get<List>(`/api/v1/users?query=${word}&limit=1&cursor=${first.body.next}`);
    expect([ids(first), ids(second), second.body.next]).toEqual([[bob.id], [cy.id], null]);
    expect(await ada.get(`/api/v1/users?query=${word}&cursor=forged`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_cursor' },
    });
    expect(ids(await ada.get<List>(`/api/v1/users?query=${encodeURIComponent('%_')}`))).toEqual([]);
  });

  it('are found only as far as they wish, and not across a block', async () => {
    const [ada, bob] = await people(2);
    const find = async () => ids(await ada.get<List>(`/api/v1/users?query=${encodeURIComponent(bob.identifier)}`));
    expect(await find()).toEqual([bob.id]);
    await setPreferences(bob, { discoverableBy: 'nobody' });
    expect(await find()).toEqual([]);
    await setPreferences(bob, { discoverableBy: 'contacts' });
    expect(await find()).toEqual([]);
    await bob.put(`/api/v1/users/me/contacts/${ada.id}`);
    expect(await find()).toEqual([bob.id]);
    await bob.put(`/api/v1/users/me/blocks/${ada.id}`);
    expect(await find()).toEqual([]);
  });
});

describe('contacts and blocks', () => {
  it('are kept idempotently, contacts in both directions visible', async () => {
    const [ada, bob] = await people(2);
    for (let i = 0; i < 2; i++) expect((await ada.put(`/api/v1/users/me/contacts/${bob.id}`)).status).toBe(204);
    const contacts = await ada.get<List>('/api/v1/users/me/contacts');
    expect(contacts.body.items).toEqual([expect.objectContaining({ id: bob.id, isContact: true })]);
    expect(ids(await bob.get<List>('/api/v1/users/me/followers'))).toEqual([ada.id]);
    for (let i = 0; i < 2; i++) expect((await ada.delete(`/api/v1/users/me/contacts/${bob.id}`)).status).toBe(204);
    expect(ids(await ada.get<List>('/api/v1/users/me/contacts'))).toEqual([]);
    expect((await ada.put(`/api/v1/users/me/contacts/${bob.id}`)).status).toBe(204);
    expect(ids(await ada.get<List>('/api/v1/users/me/contacts'))).toEqual([bob.id]);
  });

  it('page without losing or repeating anybody', async () => {
    const [ada, ...others] = await people(6);
    for (const { id } of others) await ada.put(`/api/v1/users/me/contacts/${id}`);
    const seen: string[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page: { body: List } = await ada.get<List>(
        `/api/v1/users/me/contacts?limit=2${next === '' ? '' : `&cursor=${next}`}`,
      );
      seen.push(...ids(page));
      next = page.body.next;
    }
    expect(seen.toSorted()).toEqual(others.map(({ id }) => id).toSorted());
  });

  it('refuse oneself and the unknown', async () => {
    const [ada] = await people(1);
    for (const list of ['contacts', 'blocks']) {
      expect(await ada.put(`/api/v1/users/me/${list}/${ada.id}`)).toMatchObject({
        status: 400,
        body: { errors: [{ code: 'yourself' }] },
      });
      expect(await ada.put(`/api/v1/users/me/${list}/${randomUUID()}`)).toMatchObject({ status: 404 });
      expect(await ada.delete(`/api/v1/users/me/${list}/${randomUUID()}`)).toMatchObject({ status: 204 });
    }
  });

  it('a block ends the contact and forbids it both ways', async () => {
    const [ada, bob] = await people(2);
    await ada.put(`/api/v1/users/me/contacts/${bob.id}`);
    expect((await ada.put(`/api/v1/users/me/blocks/${bob.id}`)).status).toBe(204);
    expect(ids(await ada.get<List>('/api/v1/users/me/contacts'))).toEqual([]);
    expect((await ada.get<List>('/api/v1/users/me/blocks')).body.items).toEqual([
      expect.objectContaining({ id: bob.id, isBlocked: true }),
    ]);
    expect((await bob.get(`/api/v1/users/${ada.id}`)).body).toMatchObject({ isBlocked: false });
    for (const [from, to] of [
      [ada, bob],
      [bob, ada],
    ] as const) {
      expect(await from.put(`/api/v1/users/me/contacts/${to.id}`)).toMatchObject({
        status: 403,
        body: { code: 'blocked' },
      });
    }
    await ada.delete(`/api/v1/users/me/blocks/${bob.id}`);
    expect((await bob.put(`/api/v1/users/me/contacts/${ada.id}`)).status).toBe(204);
  });

  it('stop at five thousand contacts', async () => {
    const [ada, bob] = await people(2);
    await query(
      `WITH made AS (INSERT INTO users (id, display_name) SELECT gen_random_uuid(), 'Crowd' FROM generate_series(1, 5000) RETURNING id)
       INSERT INTO contacts (owner_id, target_id, rev) SELECT $1, id, 1 FROM made`,
      [ada.id],
      app.databaseUrl,
    );
    expect(await ada.put(`/api/v1/users/me/contacts/${bob.id}`)).toMatchObject({
      status: 422,
      body: { code: 'limit_exceeded', limit: 'contacts', max: 5000 },
    });
    expect(ids(await bob.get<List>('/api/v1/users/me/followers'))).toEqual([]);
  });
});

describe('preferences', () => {
  it('have defaults, change as a whole under If-Match', async () => {
    const [ada] = await people(1);
    const { body, headers } = await ada.get<Record<string, Record<string, unknown>>>('/api/v1/users/me/preferences');
    expect(body).toEqual({
      notifications: {
        push: true,
        level: 'all',
        preview: true,
        badge: 'conversations',
        quietHours: { enabled: false, start: '22:00', end: '07:00', allowMentions: true },
      },
      privacy: {
        presence: 'shared',
        readReceipts: true,
        discoverableBy: 'everyone',
        whoCanMessage: 'everyone',
        whoCanAdd: 'everyone',
      },
    });
    const etag = headers.get('etag') ?? '';
    const wish = { ...body, notifications: { ...body['notifications'], level: 'mentions' } };
    expect(await ada.put('/api/v1/users/me/preferences', wish)).toMatchObject({ status: 428 });
    const saved = await ada.put('/api/v1/users/me/preferences', wish, { 'if-match': etag });
    expect([saved.status, saved.body]).toEqual([200, wish]);
    expect(await ada.put('/api/v1/users/me/preferences', body, { 'if-match': etag })).toMatchObject({ status: 412 });
    expect((await ada.get('/api/v1/users/me/preferences')).body).toEqual(wish);
    const again = await ada.put('/api/v1/users/me/preferences', wish, { 'if-match': '*' });
    expect(again.headers.get('etag')).toBe(saved.headers.get('etag'));
  });

  it.each([
    [{ notifications: { level: 'loud' } }, 'notifications.level'],
    [
      { notifications: { quietHours: { enabled: true, start: '24:00', end: '07:00', allowMentions: true } } },
      'notifications.quietHours.start',
    ],
    [{ privacy: { presence: 'friends' } }, 'privacy.presence'],
    [{ privacy: { admin: true } }, 'privacy'],
  ])('refuse %j', async (fault: Record<string, object>, path) => {
    const [ada] = await people(1);
    const { body } = await ada.get<Record<string, object>>('/api/v1/users/me/preferences');
    const wish = Object.fromEntries(Object.entries(body).map(([name, part]) => [name, { ...part, ...fault[name] }]));
    expect(await ada.put('/api/v1/users/me/preferences', wish, { 'if-match': '*' })).toMatchObject({
      status: 400,
      body: { errors: [{ path }] },
    });
  });
});
