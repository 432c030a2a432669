import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { type Person, registerMany } from '../../support/people.js';
import { MessagesConsumer } from '../../../src/modules/messages/messages.consumer.js';
import type { SearchHitView } from '../../../src/modules/messages/dto/search.dto.js';
import { createGroup, send } from './support.js';

describe('search', () => {
  let parley: TestApp;
  let ada: Person;
  let ben: Person;
  let eve: Person;
  let c: string;
  beforeAll(async () => {
    parley = await createTestApp();
    [ada, ben, eve] = (await registerMany(parley.url, 3)) as [Person, Person, Person];
    c = await createGroup(ada, [ben]);
  });
  afterAll(() => parley.close());
  const find = async (person: Person, q: string, rest = '') =>
    (
      await person.get<{ items: SearchHitView[]; next: string | null }>(
        `/api/v1/search/messages?q=${encodeURIComponent(q)}${rest}`,
      )
    ).body;
  const bodies = ({ items }: { items: SearchHitView[] }) => items.map(({ message }) => message.body);
  const setOf = (page: { items: SearchHitView[] }) => new Set(bodies(page));
  /** Hands everything over once more, in another order, as a durable delivery may; and so waits for what was sent. */
  const deliver = async () => {
    const consumer = parley.app.nest.get(MessagesConsumer, { strict: false });
    const rows = await query<{ id: string }>('SELECT id FROM messages ORDER BY id DESC', [], parley.databaseUrl);
    await consumer.onUpdated(rows.map(({ id }) => ({ id, topic: 'message.updated', key: c, payload: { id } })));
  };

  it('hears of messages through the outbox', async () => {
    await send(ada, c, 'hippopotamus');
    let found: SearchHitView[] = [];
    while (found.length === 0) found = (await find(ben, 'hippopotamus')).items;
    expect(found.map(({ message }) => message.body)).toEqual(['hippopotamus']);
  });

  it('finds words, parts of words and near misses, the best first, with what was found', async () => {
    await send(ada, c, 'The quick brown fox jumps over the lazy dog');
    await send(ben, c, 'Quicksilver is a <b>metal</b> & liquid');
    await send(ben, c, 'nothing to see here');
    await deliver();
    expect(bodies(await find(ada, 'fox'))).toEqual(['The quick brown fox jumps over the lazy dog']);
    expect(bodies(await find(ada, 'quick'))[0]).toBe('The quick brown fox jumps over the lazy dog');
    expect(bodies(await find(ada, 'quick'))).toContain('Quicksilver is a <b>metal</b> & liquid');
    expect(bodies(await find(ada, 'quiksilver'))).toEqual(['Quicksilver is a <b>metal</b> & liquid']);
    const [hit] = (await find(ada, 'metal')).items;
    expect(hit?.highlight).toBe('Quicksilver is a &lt;b&gt;<mark>metal</mark>&lt;/b&gt; &amp; liquid');
  });

  it('follows edits and deletions', async () => {
    const message = await send(ada, c, 'xylophone');
    await deliver();
    expect(bodies(await find(ben, 'xylophone'))).toEqual(['xylophone']);
    await ada.patch(`/api/v1/conversations/${c}/messages/${message.seq}`, { body: 'glockenspiel' });
    await deliver();
    expect(bodies(await find(ben, 'xylophone'))).toEqual([]);
    expect(bodies(await find(ben, 'glockenspiel'))).toEqual(['glockenspiel']);
    await ada.delete(`/api/v1/conversations/${c}/messages/${message.seq}`);
    // At once: a deletion does not wait for the index.
    expect(bodies(await find(ben, 'glockenspiel'))).toEqual([]);
    await deliver();
    expect(
      await query(
        'SELECT 1 FROM message_search WHERE conversation_id = $1 AND seq = $2',
        [c, message.seq],
        parley.databaseUrl,
      ),
    ).toEqual([]);
  });

  it('shows nothing that the actor may not see', async () => {
    const closed = await createGroup(ada, [ben], { settings: { historyForNewMembers: 'none' } });
    await send(ada, closed, 'zebra of old');
    await ada.post(`/api/v1/conversations/${closed}/members`, { userIds: [eve.id] });
    await send(ada, closed, 'zebra of today');
    await deliver();
    expect(bodies(await find(eve, 'zebra'))).toEqual(['zebra of today']);
    expect(setOf(await find(ben, 'zebra'))).toEqual(new Set(['zebra of old', 'zebra of today']));
    await ada.delete(`/api/v1/conversations/${closed}/members/${ben.id}`);
    expect(bodies(await find(ben, 'zebra'))).toEqual([]);
    expect(bodies(await find(ben, 'zebra', `&conversationId=${closed}`))).toEqual([]);
  });

  it('filters by conversation, sender, kind and time, page by page', async () => {
    const other = await createGroup(ada, [ben]);
    const sent = [];
    for (let i = 0; i < 5; i++) sent.push(await send(i % 2 ? ben : ada, other, `giraffe ${i}`));
    await send(ada, c, { kind: 'custom', meta: { a: 1 }, body: 'giraffe card' });
    await deliver();
    expect(bodies(await find(ada, 'giraffe', `&conversationId=${other}`))).toHaveLength(5);
    expect(setOf(await find(ada, 'giraffe', `&conversationId=${other}&senderId=${ben.id}`))).toEqual(
      new Set(['giraffe 1', 'giraffe 3']),
    );
    expect(bodies(await find(ada, 'giraffe', '&kind=custom'))).toEqual(['giraffe card']);
    const from = encodeURIComponent(sent[3]?.createdAt ?? '');
    expect(setOf(await find(ada, 'giraffe', `&conversationId=${other}&from=${from}`))).toEqual(
      new Set(['giraffe 3', 'giraffe 4']),
    );
    const first = await find(ada, 'giraffe', '&limit=4');
    const second = await find(ada, 'giraffe', `&limit=4&cursor=${first.next}`);
    expect(new Set([...bodies(first), ...bodies(second)]).size).toBe(6);
    expect(second.next).toBeNull();
  });

  it.each(['%', '_', String.raw`\\`, "'; DROP TABLE messages; --", '" unbalanced', ':*&|!()', '😀😀', 'مرحبا'])(
    'takes %s as text',
    async (q) => {
      const { status } = await ada.get(`/api/v1/search/messages?q=${encodeURIComponent(q.padEnd(2, q))}`);
      expect(status).toBe(200);
    },
  );

  it.each(['', 'x', 'y'.repeat(201), 'a%00b'])('refuses the query "%s"', async (q) => {
    expect(await ada.get(`/api/v1/search/messages?q=${q}`)).toMatchObject({
      status: 400,
      body: { code: 'validation_failed' },
    });
  });
});
