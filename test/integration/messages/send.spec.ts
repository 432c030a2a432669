import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { connect, type Person, registerMany } from '../../support/people.js';
import { acting, createGroup, direct, type SendResult, send } from './support.js';

describe('sending', () => {
  let parley: TestApp;
  let second: TestApp;
  let third: TestApp;
  let ada: Person;
  let ben: Person;
  let eve: Person;
  beforeAll(async () => {
    parley = await createTestApp();
    second = await createTestApp({}, { databaseUrl: parley.databaseUrl });
    third = await createTestApp({}, { databaseUrl: parley.databaseUrl });
    [ada, ben, eve] = (await registerMany(parley.url, 3)) as [Person, Person, Person];
  });
  afterAll(async () => {
    await third.close();
    await second.close();
    await parley.close();
  });
  const stored = (sql: string, values: unknown[]) => query<Record<string, number>>(sql, values, parley.databaseUrl);
  const post = (person: Person, c: string, fields: Record<string, unknown>) =>
    person.post<SendResult & { code?: string; errors?: { path: string; code: string }[] }>(
      `/api/v1/conversations/${c}/messages`,
      {
        clientId: randomUUID(),
        ...fields,
      },
    );

  it('answers the stored message to every repeat of a clientId, sent one hundred times at once to three replicas', async () => {
    const c = await createGroup(ada, [ben]);
    const fields = { clientId: randomUUID(), body: 'once' };
    const sockets = [await connect(ada), await connect(acting(ada, second.url)), await connect(acting(ada, third.url))];
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const socket = sockets[i % 4];
        if (!socket) return (await post(ada, c, fields)).body;
        const ack = await socket.emit<SendResult>('message.send', { c, ...fields });
        if (!ack.ok) throw new Error(ack.error.code);
        return ack.data;
      }),
    );
    for (const socket of sockets) socket.close();
    expect(answers.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
    expect(new Set(answers.map(({ message }) => JSON.stringify(message))).size).toBe(1);
    expect(await stored('SELECT count(*)::int AS n FROM messages WHERE client_id = $1', [fields.clientId])).toEqual([
      { n: 1 },
    ]);
    expect(
      await stored(
        'SELECT seq::int, (SELECT max(seq)::int FROM messages WHERE conversation_id = $1) AS last FROM conversation_head WHERE conversation_id = $1',
        [c],
      ),
    ).toEqual([{ seq: answers[0]?.message.seq, last: answers[0]?.message.seq }]);
  });

  it('numbers concurrent messages of many senders on two replicas without a hole, in the order of each sender', async () => {
    const c = await createGroup(ada, [ben, eve]);
    const before =
      (await stored('SELECT seq::int FROM conversation_head WHERE conversation_id = $1', [c]))[0]?.['seq'] ?? 0;
    const senders = [ada, ben, eve, acting(ada, second.url), acting(ben, second.url)];
    const bySender = await Promise.all(
      senders.map(async (sender) => {
        const seqs: number[] = [];
        for (let i = 0; i < 20; i++) seqs.push((await send(sender, c, `${i}`)).seq);
        return seqs;
      }),
    );
    const all = bySender.flat().toSorted((a, b) => a - b);
    expect(all).toEqual(Array.from({ length: 100 }, (_, i) => before + 1 + i));
    for (const seqs of bySender) expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    const rows = await stored(
      'SELECT seq::int, ord::int, rev::int FROM messages WHERE conversation_id = $1 AND seq > $2 ORDER BY seq',
      [c, before],
    );
    expect(rows.map(({ rev }) => rev)).toEqual(rows.map((_, i) => (rows[0]?.['rev'] ?? 0) + i));
    expect(rows.map(({ ord }) => ord)).toEqual(rows.map((_, i) => (rows[0]?.['ord'] ?? 0) + i));
  });

  it('stores a burst in few statements and answers each sender with their own message', async () => {
    const c = await createGroup(ada, [ben]);
    const socket = await connect(ada);
    const bodies = Array.from({ length: 150 }, (_, i) => `burst ${i}`);
    const acks = await Promise.all(
      bodies.map((body) => socket.emit<SendResult>('message.send', { c, clientId: randomUUID(), body })),
    );
    expect(acks.map((ack) => ack.ok && ack.data.message.body)).toEqual(bodies);
    const [{ transactions } = { transactions: 0 }] = await stored(
      'SELECT count(DISTINCT xmin::text)::int AS transactions FROM messages WHERE conversation_id = $1 AND body IS NOT NULL',
      [c],
    );
    expect(transactions).toBeLessThan(75);
    socket.close();
  });

  it('stores the others of a batch when one of them is refused', async () => {
    const c = await createGroup(ada, [ben]);
    const first = await send(ada, c, 'first');
    const socket = await connect(ada);
    const sends = Array.from({ length: 30 }, (_, i) => ({
      c,
      clientId: i === 17 ? first.clientId : randomUUID(),
      body: i === 17 ? 'another' : `${i}`,
    }));
    const acks = await Promise.all(sends.map((input) => socket.emit<SendResult>('message.send', input)));
    expect(acks.filter(({ ok }) => ok)).toHaveLength(29);
    expect(acks[17]).toMatchObject({ ok: false, error: { code: 'idempotency_mismatch', status: 409 } });
    socket.close();
  });

  it('tells strangers and former members that there is nothing', async () => {
    const c = await createGroup(ada, [ben]);
    expect(await post(eve, c, { body: 'let me in' })).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await post(eve, randomUUID(), { body: 'anybody?' })).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    await send(ben, c, 'I was here');
    await ada.delete(`/api/v1/conversations/${c}/members/${ben.id}`);
    expect(await post(ben, c, { body: 'and now?' })).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  it('draws no number for a member who is removed while messages are under way', async () => {
    const c = await createGroup(ada, [ben]);
    const socket = await connect(ben);
    const sends = Array.from({ length: 60 }, (_, i) =>
      socket.emit<SendResult>('message.send', { c, clientId: randomUUID(), body: `${i}` }),
    );
    await sends[0];
    const removal = await ada.delete(`/api/v1/conversations/${c}/members/${ben.id}`);
    expect(removal.status).toBe(204);
    const acks = await Promise.all(sends);
    socket.close();
    for (const ack of acks) if (!ack.ok) expect(ack.error.code).toBe('not_found');
    const [{ removedRev } = { removedRev: 0 }] = await stored(
      'SELECT rev::int AS "removedRev" FROM memberships WHERE conversation_id = $1 AND user_id = $2',
      [c, ben.id],
    );
    const rows = await stored('SELECT seq::int, rev::int FROM messages WHERE conversation_id = $1 AND sender_id = $2', [
      c,
      ben.id,
    ]);
    expect(rows).toHaveLength(acks.filter(({ ok }) => ok).length);
    for (const row of rows) expect(row['rev']).toBeLessThan(removedRev ?? 0);
    const dense = await stored(
      'SELECT count(*)::int AS n, max(seq)::int AS last FROM messages WHERE conversation_id = $1',
      [c],
    );
    expect(dense[0]?.['n']).toBe(dense[0]?.['last']);
  });

  it('lets a stored clientId win over a refusal that came up since', async () => {
    const c = await createGroup(ada, [ben]);
    const clientId = randomUUID();
    expect((await post(ben, c, { clientId, body: 'before' })).status).toBe(201);
    await ada.patch(`/api/v1/conversations/${c}`, { settings: { whoCanPost: 'admin' } }, { 'If-Match': '*' });
    expect(await post(ben, c, { body: 'after' })).toMatchObject({ status: 403, body: { code: 'role_insufficient' } });
    expect(await post(ben, c, { clientId, body: 'before' })).toMatchObject({
      status: 200,
      body: { deduplicated: true, message: { body: 'before' } },
    });
    expect(await post(ben, c, { clientId, body: 'other' })).toMatchObject({
      status: 409,
      body: { code: 'idempotency_mismatch' },
    });
  });

  it('answers a repeat with the present state, and does not look at markRead', async () => {
    const c = await createGroup(ada, [ben]);
    const clientId = randomUUID();
    const { seq } = (await post(ada, c, { clientId, body: 'first' })).body.message;
    await ada.patch(`/api/v1/conversations/${c}/messages/${seq}`, { body: 'second' });
    expect(await post(ada, c, { clientId, body: 'first', markRead: false })).toMatchObject({
      status: 200,
      body: { message: { body: 'second', seq } },
    });
  });

  it.each([
    ['emoji and joiners', '👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301'],
    ['right to left with its marks', '\u202Bمرحبا \u200Fبالعالم\u202C'],
    ['blanks at both ends', '  indented\n\ttext  '],
    ['eight thousand characters outside the basic plane', '😀'.repeat(8000)],
  ])('keeps a text as it was written: %s', async (_, body) => {
    const c = await createGroup(ada, [ben]);
    const { seq } = await send(ada, c, body);
    const seen = await ben.get<{ body: string }>(`/api/v1/conversations/${c}/messages/${seq}`);
    expect(seen.body.body).toBe(body);
  });

  it.each([
    ['NUL', { body: 'a\0b' }, 'body'],
    ['half a surrogate pair', { body: 'a\uD83D' }, 'body'],
    ['nothing visible', { body: ' \u200B\u200F\n' }, 'body'],
    ['no content', {}, 'body'],
    ['one character too many', { body: '😀'.repeat(8001) }, 'body'],
    ['meta without kind custom', { body: 'x', meta: { a: 1 } }, 'meta'],
    ['kind custom without meta', { kind: 'custom', body: 'x' }, 'meta'],
    ['large meta', { kind: 'custom', meta: { a: 'x'.repeat(5000) } }, 'meta'],
    ['too many mentions', { body: 'x', mentions: Array.from({ length: 51 }, () => randomUUID()) }, 'mentions'],
    [
      'too many attachments',
      { body: 'x', attachmentIds: Array.from({ length: 11 }, () => randomUUID()) },
      'attachmentIds',
    ],
    ['an unknown member', { body: 'x', colour: 'red' }, ''],
  ])('refuses %s', async (_, fields, path) => {
    const c = await createGroup(ada, [ben]);
    const answer = await post(ada, c, fields);
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(answer.body.errors?.map((error) => error.path)).toContain(path);
  });

  it('counts as unread what it should, and reads what the sender has read', async () => {
    const c = await createGroup(ada, [ben]);
    const unread = async (person: Person) =>
      (await person.get<{ unread: number; readSeq: number }>(`/api/v1/conversations/${c}/unread`)).body;
    await send(ada, c, { body: 'counts' });
    await send(ada, c, { body: 'silent', silent: true });
    expect(await unread(ben)).toMatchObject({ unread: 1 });
    expect(await unread(ada)).toMatchObject({ unread: 0 });
    // Something is unread, so a send that asks not to read moves nothing.
    await send(ben, c, { body: 'from below', markRead: false });
    expect(await unread(ben)).toMatchObject({ unread: 2 });
    const { seq } = await send(ben, c, { body: 'reads' });
    expect(await unread(ben)).toMatchObject({ unread: 0, readSeq: seq });
    const last = await send(ben, c, { body: 'nothing was unread', markRead: false });
    expect(await unread(ben)).toMatchObject({ unread: 0, readSeq: last.seq });
  });

  it('drops mentions of others than members and asks the settings about mentioning all', async () => {
    const c = await createGroup(ada, [ben]);
    const message = await send(ben, c, { body: 'hey', mentions: [ada.id, eve.id, ada.id] });
    expect(message.mentions).toEqual([ada.id]);
    expect((await ada.get<{ mentions: number }>(`/api/v1/conversations/${c}/unread`)).body.mentions).toBe(1);
    expect(await post(ben, c, { body: 'all!', mentionAll: true })).toMatchObject({
      status: 403,
      body: { code: 'role_insufficient' },
    });
    expect(await post(ada, c, { body: 'all!', mentionAll: true })).toMatchObject({
      status: 201,
      body: { message: { mentionAll: true } },
    });
    expect((await ben.get<{ mentions: number }>(`/api/v1/conversations/${c}/unread`)).body.mentions).toBe(1);
  });

  it('replies to what can be seen, and to nothing else', async () => {
    const c = await createGroup(ada, [ben]);
    const root = await send(ada, c, 'root');
    expect((await send(ben, c, { body: 'reply', replyToSeq: root.seq })).replyToSeq).toBe(root.seq);
    expect(await post(ben, c, { body: 'x', replyToSeq: 999 })).toMatchObject({ status: 404 });
    await ada.delete(`/api/v1/conversations/${c}/messages/${root.seq}`);
    expect(await post(ben, c, { body: 'x', replyToSeq: root.seq })).toMatchObject({
      status: 410,
      body: { code: 'message_deleted' },
    });
  });

  it('forwards what the sender can see, with its origin', async () => {
    const [from, to] = [await createGroup(ada, [ben]), await createGroup(ben, [eve])];
    const source = await send(ada, from, { kind: 'custom', body: 'look', meta: { card: 7 } });
    const forwarded = await send(ben, to, { forwardOf: { conversationId: from, seq: source.seq } });
    expect(forwarded).toMatchObject({
      kind: 'custom',
      body: 'look',
      meta: { card: 7 },
      forwardedFrom: { messageId: source.id, senderId: ada.id, createdAt: source.createdAt },
    });
    expect(await post(eve, to, { forwardOf: { conversationId: from, seq: source.seq } })).toMatchObject({
      status: 404,
    });
    expect(await post(ben, to, { body: 'mine', forwardOf: { conversationId: from, seq: source.seq } })).toMatchObject({
      status: 400,
    });
  });

  it('refuses files that are not there', async () => {
    const c = await createGroup(ada, [ben]);
    expect(await post(ada, c, { body: 'see', attachmentIds: [randomUUID()] })).toMatchObject({
      status: 409,
      body: { code: 'invalid_state' },
    });
    expect(
      await stored('SELECT count(*)::int AS n FROM messages WHERE conversation_id = $1 AND sender_id IS NOT NULL', [c]),
    ).toEqual([{ n: 0 }]);
  });

  it('lets nobody write to somebody who has blocked them, either way', async () => {
    const c = await direct(ada, ben);
    await ben.put(`/api/v1/users/me/blocks/${ada.id}`);
    for (const person of [ada, ben])
      expect(await post(person, c, { body: 'x' })).toMatchObject({ status: 403, body: { code: 'blocked' } });
    await ben.delete(`/api/v1/users/me/blocks/${ada.id}`);
    expect((await post(ada, c, { body: 'x' })).status).toBe(201);
  });

  it('makes members of a slow conversation wait, admins not', async () => {
    const c = await createGroup(ada, [ben], { settings: { slowModeSec: 3600 } });
    const clientId = randomUUID();
    expect((await post(ben, c, { clientId, body: 'first' })).status).toBe(201);
    const refused = await post(ben, c, { body: 'second' });
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited', rule: 'slow_mode' } });
    expect((await post(ben, c, { clientId, body: 'first' })).status).toBe(200);
    for (const body of ['one', 'two']) expect((await post(ada, c, { body })).status).toBe(201);
  });

  it('accepts exactly one of many simultaneous messages in a slow conversation, on one replica and on two', async () => {
    for (const replicas of [[ben], [ben, acting(ben, second.url)]]) {
      const c = await createGroup(ada, [ben], { settings: { slowModeSec: 3600 } });
      const sends = Array.from({ length: 6 }, (_, i) =>
        post(replicas[i % replicas.length] ?? ben, c, { body: `${i}` }),
      );
      const answers = await Promise.all(sends);
      const refused = answers.filter(({ status }) => status !== 201);
      expect(refused).toHaveLength(5);
      for (const { status, body } of refused) {
        expect({ status, body }).toMatchObject({ status: 429, body: { code: 'rate_limited', rule: 'slow_mode' } });
      }
      const rows = await stored('SELECT count(*)::int AS n FROM messages WHERE conversation_id = $1 AND kind = $2', [
        c,
        'text',
      ]);
      expect(rows).toEqual([{ n: 1 }]);
    }
  });

  it('stores what many people write to many conversations at once, the repeats and the refused among them', async () => {
    const rooms = await Promise.all(Array.from({ length: 12 }, () => createGroup(ada, [ben])));
    const known = randomUUID();
    await post(ada, rooms[3] ?? '', { clientId: known, body: 'known' });
    const sockets = await Promise.all([ada, ben, eve].map((person) => connect(person)));
    const acks = await Promise.all(
      rooms.flatMap((c, room) =>
        sockets.map((socket, i) =>
          socket.emit<SendResult>('message.send', {
            c,
            clientId: room === 3 && i === 0 ? known : randomUUID(),
            body: room === 3 && i === 0 ? 'known' : `${room} ${i}`,
          }),
        ),
      ),
    );
    sockets.forEach((socket) => socket.close());
    // Eve is a member of none of them.
    expect(acks.flatMap((ack) => (ack.ok ? [] : [ack.error.code]))).toEqual(rooms.map(() => 'not_found'));
    expect(acks.flatMap((ack) => (ack.ok && ack.data.deduplicated ? [ack.data.message.clientId] : []))).toEqual([
      known,
    ]);
    const dense = await stored(
      `SELECT h.seq::int AS head, count(*)::int AS n, max(m.seq)::int AS last, count(*) FILTER (WHERE m.sender_id IS NOT NULL)::int AS sent
       FROM conversation_head h JOIN messages m USING (conversation_id) WHERE h.conversation_id = ANY ($1) GROUP BY h.conversation_id, h.seq`,
      [rooms],
    );
    expect(dense.map(({ head, n, last, sent }) => [head === n && head === last, sent])).toEqual(
      rooms.map(() => [true, 2]),
    );
  });
});
