import { randomUUID } from 'node:crypto';
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

  it('shows each change to who asks for the same page again', async () => {
    const c = await filled(4);
    const at = `/api/v1/conversations/${c}`;
    const of = <Body>({ status, body }: { status: number; body: Body }) => {
      expect(status).toBeLessThan(300);
      return body;
    };
    const create = async (path: string, input: object) => of(await ada.post<{ id: string }>(path, input)).id;
    let [thread, call] = ['', ''];
    const changes: [string, () => Promise<unknown>][] = [
      ['a message', () => send(ben, c, 'and another')],
      ['an edit', async () => of(await ada.patch(`${at}/messages/2`, { body: 'edited' }))],
      ['a reaction', async () => of(await ben.put(`${at}/messages/2/reactions/👍`))],
      ['the same by another', async () => of(await ada.put(`${at}/messages/2/reactions/👍`))],
      ['a reaction taken back', async () => of(await ben.delete(`${at}/messages/2/reactions/👍`))],
      ['a pin', async () => of(await ada.put(`${at}/messages/3/pin`))],
      ['a pin taken off', async () => of(await ada.delete(`${at}/messages/3/pin`))],
      ['a thread', async () => (thread = await create(`${at}/threads`, { rootSeq: 3 }))],
      ['a reply', () => send(ben, c, { body: 'reply', threadId: thread })],
      ['a title', async () => of(await ada.patch(`/api/v1/threads/${thread}`, { title: 'Topic' }))],
      ['a lock', async () => of(await ada.patch(`/api/v1/threads/${thread}`, { locked: true }))],
      ['a call', async () => (call = await create(`${at}/calls`, { media: 'audio', clientId: randomUUID() }))],
      ['a call that is taken', async () => of(await ben.post(`/api/v1/calls/${call}/accept`))],
      ['a call that ended', async () => of(await ada.post(`/api/v1/calls/${call}/end`))],
      ['a deletion', async () => of(await ada.delete(`${at}/messages/2`))],
    ];
    for (const [change, make] of changes) {
      const before = await read(ben, c);
      expect(await read(ben, c)).toEqual(before);
      await make();
      const after = await read(ben, c);
      expect({ change, after }).not.toEqual({ change, after: before });
      const alone = await Promise.all(after.items.map(({ seq }) => ben.get(`${at}/messages/${seq}`)));
      expect({ change, items: after.items }).toEqual({ change, items: alone.map(of) });
    }
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
