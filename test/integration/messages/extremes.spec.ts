import { randomUUID } from 'node:crypto';
import type { MessageView } from '../../../src/modules/messages/dto/message.view.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { type Connection, connect, type Person, registerMany } from '../../support/people.js';
import { createGroup, type SendResult } from './support.js';

type Change = { c: string; t: string; v: MessageView };

describe('messages at the limits', () => {
  let parley: TestApp;
  let ada: Person;
  let ben: Person;
  let sockets: Connection[];
  beforeAll(async () => {
    parley = await createTestApp();
    [ada, ben] = (await registerMany(parley.url, 2)) as [Person, Person];
    sockets = await Promise.all([connect(ada), connect(ben)]);
  });
  afterAll(async () => {
    sockets.forEach((socket) => socket.close());
    await parley.close();
  });
  const sendBy = (socket: Connection | undefined, c: string, fields: object) =>
    socket?.emit<SendResult>('message.send', { c, clientId: randomUUID(), ...fields });

  it('one to a channel of 10,000 members reaches those who are there and counts as unread for the others', async () => {
    const { body } = await ada.post<{ id: string }>('/api/v1/conversations', {
      type: 'channel',
      title: 'Everybody',
      memberIds: [ben.id],
    });
    const c = body.id;
    await query(
      `WITH u AS (INSERT INTO users (id, display_name) SELECT gen_random_uuid(), 'One of many' FROM generate_series(1, 9998) RETURNING id),
            h AS (INSERT INTO user_head (user_id) SELECT id FROM u)
       INSERT INTO memberships (conversation_id, user_id, rev, user_rev) SELECT $1, id, 1, 0 FROM u`,
      [c],
      parley.databaseUrl,
    );
    const ack = await sendBy(sockets[0], c, { body: 'to all', mentionAll: true });
    expect(ack).toMatchObject({ ok: true, data: { message: { seq: 2, mentionAll: true } } });
    const change = await sockets[1]?.until<Change>('change', (it) => it.c === c && it.v.body === 'to all');
    expect(change?.v).toEqual(ack?.ok && ack.data.message);
    const unread = await query<{ n: number }>(
      `SELECT count(*)::int AS n FROM memberships m JOIN conversation_head h USING (conversation_id)
       WHERE conversation_id = $1 AND h.ord - m.read_ord = 1`,
      [c],
      parley.databaseUrl,
    );
    expect(unread).toEqual([{ n: 9999 }]);
    expect(
      (await ben.get<{ items: unknown[]; count: number }>(`/api/v1/conversations/${c}/members?limit=100`)).body.count,
    ).toBe(10_000);
  });

  it.each([
    ['a family of emoji', '👩‍👩‍👧‍👦 🏳️‍🌈 🇸🇪'],
    ['right-to-left text with marks', '‏שלום‎ مرحبا ⁧abc⁩'],
    ['stacked marks and a long grapheme', `Z${'\u0351'.repeat(300)}`],
    ['line ends and tabs, as written', ' a\r\n\tb\u2028c '],
  ])('keeps %s exactly as written', async (_, body) => {
    const c = await createGroup(ada, [ben]);
    const ack = await sendBy(sockets[0], c, { body });
    expect(ack).toMatchObject({ ok: true, data: { message: { body } } });
    const seq = ack?.ok ? ack.data.message.seq : 0;
    expect((await ben.get(`/api/v1/conversations/${c}/messages/${seq}`)).body).toMatchObject({ body });
  });

  it.each([
    ['a NUL', { body: 'a\0b' }],
    ['half of a surrogate pair', { body: 'a\ud83d' }],
    ['nothing visible', { body: '\u200b \u2060' }],
    ['a NUL in meta', { kind: 'custom', meta: { a: '\0' } }],
  ])('refuses %s, and nothing is stored', async (_, fields) => {
    const c = await createGroup(ada, [ben]);
    expect(await sendBy(sockets[0], c, fields)).toMatchObject({ ok: false, error: { code: 'validation_failed' } });
    const rows = await query(
      'SELECT 1 FROM messages WHERE conversation_id = $1 AND sender_id IS NOT NULL AND kind <> $2',
      [c, 'system'],
      parley.databaseUrl,
    );
    expect(rows).toEqual([]);
  });

  it('keeps meta whatever its members are called, and the same by both transports', async () => {
    const c = await createGroup(ada, [ben]);
    const clientId = randomUUID();
    const fields = { clientId, kind: 'custom', meta: { constructor: 'Gaudí', prototype: { constructor: 1 } } };
    expect(await ada.post(`/api/v1/conversations/${c}/messages`, fields)).toMatchObject({
      status: 201,
      body: { message: { meta: fields.meta } },
    });
    expect(await sendBy(sockets[0], c, fields)).toMatchObject({
      ok: true,
      data: { deduplicated: true, message: { meta: fields.meta } },
    });
  });

  it('refuses the clientId of another message, and keeps the first', async () => {
    const c = await createGroup(ada, [ben]);
    const clientId = randomUUID();
    expect(await sendBy(sockets[0], c, { clientId, body: 'first' })).toMatchObject({ ok: true });
    expect(await sendBy(sockets[0], c, { clientId, body: 'second' })).toMatchObject({
      ok: false,
      error: { code: 'idempotency_mismatch' },
    });
    // Another person's is another one.
    expect(await sendBy(sockets[1], c, { clientId, body: 'third' })).toMatchObject({
      ok: true,
      data: { deduplicated: false },
    });
  });
});
