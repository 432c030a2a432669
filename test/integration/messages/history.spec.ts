import { createTestApp, type TestApp } from '../../support/app.js';
import { type Person, registerMany } from '../../support/people.js';
import { createGroup, send } from './support.js';

interface History {
  items: { seq: number; body: string | null; deletedAt: string | null; threadId: string | null }[];
  hasBefore: boolean;
  hasAfter: boolean;
  head: { seq: number; rev: number };
}

describe('history', () => {
  let parley: TestApp;
  let ada: Person;
  let ben: Person;
  let eve: Person;
  beforeAll(async () => {
    parley = await createTestApp();
    [ada, ben, eve] = (await registerMany(parley.url, 3)) as [Person, Person, Person];
  });
  afterAll(() => parley.close());
  const read = async (person: Person, c: string, query = '') =>
    (await person.get<History>(`/api/v1/conversations/${c}/messages${query}`)).body;
  const seqs = ({ items }: History) => items.map(({ seq }) => seq);
  /** A group with its one system message and messages 2 to `last`. */
  const filled = async (last: number) => {
    const c = await createGroup(ada, [ben]);
    for (let seq = 2; seq <= last; seq++) await send(ada, c, `message ${seq}`);
    return c;
  };

  it('walks both ways and around a point, always ascending', async () => {
    const c = await filled(12);
    const cases: [string, number[], boolean, boolean][] = [
      ['?limit=4', [9, 10, 11, 12], true, false],
      ['?limit=4&before=9', [5, 6, 7, 8], true, true],
      ['?limit=4&before=3', [1, 2], false, true],
      ['?limit=4&before=1', [], false, true],
      ['?limit=4&after=0', [1, 2, 3, 4], false, true],
      ['?limit=4&after=8', [9, 10, 11, 12], true, false],
      ['?limit=4&after=12', [], true, false],
      ['?limit=4&after=99', [], true, false],
      ['?limit=4&around=6', [4, 5, 6, 7], true, true],
      ['?limit=4&around=1', [1, 2, 3, 4], false, true],
      ['?limit=4&around=12', [10, 11, 12], true, false],
      ['?limit=100', [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], false, false],
    ];
    for (const [query, expected, hasBefore, hasAfter] of cases) {
      const page = await read(ben, c, query);
      expect({ query, seqs: seqs(page), hasBefore: page.hasBefore, hasAfter: page.hasAfter }).toEqual({
        query,
        seqs: expected,
        hasBefore,
        hasAfter,
      });
      expect(page.head.seq).toBe(12);
    }
  });

  it('keeps tombstones in their place', async () => {
    const c = await filled(4);
    await ada.delete(`/api/v1/conversations/${c}/messages/3`);
    const { items } = await read(ben, c);
    expect(items.map(({ seq, body, deletedAt }) => [seq, body, deletedAt !== null])).toEqual([
      [1, null, false],
      [2, 'message 2', false],
      [3, null, true],
      [4, 'message 4', false],
    ]);
  });

  it('gets one message by seq and by id, and only where it belongs', async () => {
    const [c, other] = [await filled(2), await createGroup(ada, [ben])];
    const bySeq = await ben.get<{ id: string; seq: number }>(`/api/v1/conversations/${c}/messages/2`);
    const byId = await ben.get(`/api/v1/conversations/${c}/messages/${bySeq.body.id}`);
    expect(byId.body).toEqual(bySeq.body);
    expect((await ben.get(`/api/v1/messages/${bySeq.body.id}`)).body).toEqual(bySeq.body);
    for (const id of [other, 'no-uuid'])
      expect((await ben.get(`/api/v1/messages/${id}`)).status).toBe(id === other ? 404 : 400);
    for (const path of [`${c}/messages/3`, `${other}/messages/${bySeq.body.id}`]) {
      expect(await ben.get(`/api/v1/conversations/${path}`)).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
    }
    for (const path of [`${c}/messages/2`, `${c}/messages`])
      expect((await eve.get(`/api/v1/conversations/${path}`)).status).toBe(404);
    for (const path of ['0', 'x', '-1', '1.5'])
      expect((await ben.get(`/api/v1/conversations/${c}/messages/${path}`)).status).toBe(400);
  });

  it('shows later members nothing from before, where the settings say so', async () => {
    const c = await createGroup(ada, [ben], { settings: { historyForNewMembers: 'none' } });
    const old = await send(ada, c, 'old');
    await ada.post(`/api/v1/conversations/${c}/members`, { userIds: [eve.id] });
    const fresh = await send(ada, c, 'new');
    const page = await read(eve, c);
    expect(seqs(page)).not.toContain(old.seq);
    expect(seqs(page)).toContain(fresh.seq);
    expect(page.hasBefore).toBe(false);
    expect(seqs(await read(eve, c, `?before=${fresh.seq}`))).not.toContain(old.seq);
    expect(seqs(await read(eve, c, '?after=0'))[0]).toBeGreaterThan(old.seq);
    expect((await eve.get(`/api/v1/conversations/${c}/messages/${old.seq}`)).status).toBe(404);
    for (const path of [`conversations/${c}/messages/${old.id}`, `messages/${old.id}`])
      expect((await eve.get(`/api/v1/${path}`)).status).toBe(404);
    expect(
      (await eve.post(`/api/v1/conversations/${c}/messages`, { clientId: old.id, body: 'x', replyToSeq: old.seq }))
        .status,
    ).toBe(404);
    expect((await eve.put(`/api/v1/conversations/${c}/messages/${old.seq}/reactions/x`)).status).toBe(404);
    expect((await eve.post(`/api/v1/conversations/${c}/threads`, { rootSeq: old.seq })).status).toBe(404);
  });

  it.each(['before=1&after=2', 'around=1&after=2', 'limit=0', 'limit=101', 'before=-1', 'before=x', 'colour=red'])(
    'refuses ?%s',
    async (query) => {
      const c = await createGroup(ada, []);
      expect(await ada.get(`/api/v1/conversations/${c}/messages?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'validation_failed' },
      });
    },
  );
});
