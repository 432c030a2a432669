import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { connect, type Person, registerMany } from '../../support/people.js';
import { createGroup, direct, send } from './support.js';
import type { MessageView } from '../../../src/modules/messages/dto/message.view.js';

interface Changed {
  message: MessageView;
  changed: boolean;
}
interface Reactions {
  rev: number;
  reactions: { emoji: string; count: number; userIds: string[] }[];
  mine: string[];
  changed: boolean;
}

describe('what happens to messages afterwards', () => {
  let parley: TestApp;
  let ada: Person;
  let ben: Person;
  let eve: Person;
  beforeAll(async () => {
    parley = await createTestApp();
    [ada, ben, eve] = (await registerMany(parley.url, 3)) as [Person, Person, Person];
  });
  afterAll(() => parley.close());
  const path = (c: string, seq: number, rest = '') => `/api/v1/conversations/${c}/messages/${seq}${rest}`;
  const headRev = async (c: string) =>
    (
      await query<{ rev: number }>(
        'SELECT rev::int FROM conversation_head WHERE conversation_id = $1',
        [c],
        parley.databaseUrl,
      )
    )[0]?.rev;

  it('edits as one change, and a repeat as none', async () => {
    const c = await createGroup(ada, [ben]);
    const socket = await connect(ben);
    const sent = await send(ada, c, { body: 'frist', mentions: [ben.id] });
    const first = await ada.patch<Changed>(path(c, sent.seq), { body: 'first', mentions: [eve.id] });
    expect(first).toMatchObject({
      status: 200,
      body: { changed: true, message: { body: 'first', mentions: [], rev: sent.rev + 1, seq: sent.seq } },
    });
    expect(first.body.message.editedAt).not.toBeNull();
    expect((await ben.get<{ mentions: number }>(`/api/v1/conversations/${c}/unread`)).body.mentions).toBe(0);
    expect(await socket.until('change', (x: { v: MessageView }) => x.v.editedAt !== null)).toMatchObject({
      c,
      t: 'message',
      from: sent.rev,
      rev: sent.rev + 1,
      v: { body: 'first' },
    });
    const rev = await headRev(c);
    expect(await ada.patch(path(c, sent.seq), { body: 'first', ifRev: sent.rev })).toMatchObject({
      status: 200,
      body: { changed: false },
    });
    expect(await headRev(c)).toBe(rev);
    socket.close();
  });

  it('refuses edits by others, over newer states, of nothing, and of what nobody wrote', async () => {
    const c = await createGroup(ada, [ben]);
    const sent = await send(ben, c, 'text');
    expect(await ada.patch(path(c, sent.seq), { body: 'mine' })).toMatchObject({
      status: 403,
      body: { code: 'role_insufficient' },
    });
    expect(await ben.patch(path(c, sent.seq), { body: 'new', ifRev: sent.rev - 1 })).toMatchObject({
      status: 409,
      body: { code: 'stale_rev' },
    });
    expect(await ben.patch(path(c, sent.seq), { body: ' ' })).toMatchObject({ status: 400 });
    expect(await ben.patch(path(c, sent.seq), {})).toMatchObject({ status: 400 });
    expect(await ben.patch(path(c, sent.seq), { meta: { a: 1 } })).toMatchObject({ status: 400 });
    expect(await ada.patch(path(c, 1), { body: 'x' })).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    expect(await ben.patch(path(c, 999), { body: 'x' })).toMatchObject({ status: 404 });
    expect(await eve.patch(path(c, sent.seq), { body: 'x' })).toMatchObject({ status: 404 });
    await ben.delete(path(c, sent.seq));
    expect(await ben.patch(path(c, sent.seq), { body: 'x' })).toMatchObject({
      status: 410,
      body: { code: 'message_deleted' },
    });
  });

  it('applies each of two edits that race, one after the other', async () => {
    const c = await createGroup(ada, [ben]);
    const sent = await send(ada, c, 'start');
    const results = await Promise.all(
      ['one', 'two', 'three'].map((body) => ada.patch<Changed>(path(c, sent.seq), { body })),
    );
    const revs = results.map(({ body }) => body.message.rev).toSorted((a, b) => a - b);
    expect(revs).toEqual([sent.rev + 1, sent.rev + 2, sent.rev + 3]);
    const last = results.find(({ body }) => body.message.rev === sent.rev + 3);
    expect((await ben.get<MessageView>(path(c, sent.seq))).body.body).toBe(last?.body.message.body);
    const guarded = await Promise.all(
      ['x', 'y'].map((body) => ada.patch(path(c, sent.seq), { body, ifRev: sent.rev + 3 })),
    );
    expect(new Set(guarded.map(({ status }) => status))).toEqual(new Set([200, 409]));
  });

  it('leaves a tombstone that says who, where and when, and corrects what is unread', async () => {
    const c = await createGroup(ada, [ben]);
    const [one, two] = [await send(ada, c, { body: 'secret', mentions: [ben.id] }), await send(ada, c, 'stays')];
    await ben.put(path(c, one.seq, '/reactions/👍'));
    await ada.put(path(c, one.seq, '/pin'));
    const gone = await ada.delete<Changed>(path(c, one.seq));
    expect(gone.body).toMatchObject({
      changed: true,
      message: {
        id: one.id,
        seq: one.seq,
        kind: 'text',
        senderId: ada.id,
        clientId: one.clientId,
        body: null,
        mentions: [],
        reactions: [],
        pinned: null,
        deletedBy: ada.id,
      },
    });
    expect(await ada.delete(path(c, one.seq))).toMatchObject({ status: 200, body: { changed: false } });
    const unread = await ben.get(`/api/v1/conversations/${c}/unread`);
    expect(unread.body).toMatchObject({ unread: 1, method: 'count', mentions: 0, lastDeleteSeq: one.seq });
    await ben.put(`/api/v1/conversations/${c}/receipts`, { read: two.seq });
    expect((await ben.get(`/api/v1/conversations/${c}/unread`)).body).toMatchObject({ unread: 0, method: 'watermark' });
    const left = await query(
      `SELECT body, meta FROM messages WHERE id = $1 AND body IS NOT NULL`,
      [one.id],
      parley.databaseUrl,
    );
    expect(left).toEqual([]);
  });

  it('lets the sender and admins delete, nobody else, and in a direct conversation only the sender', async () => {
    const c = await createGroup(ada, [ben, eve]);
    const ofBen = await send(ben, c, 'x');
    expect(await eve.delete(path(c, ofBen.seq))).toMatchObject({ status: 403, body: { code: 'role_insufficient' } });
    expect(await ada.delete(path(c, ofBen.seq))).toMatchObject({
      status: 200,
      body: { message: { deletedBy: ada.id } },
    });
    expect(await ada.delete(path(c, 1))).toMatchObject({ status: 409, body: { code: 'invalid_state' } });
    const pair = await direct(ada, ben);
    const message = await send(ben, pair, 'y');
    expect(await ada.delete(path(pair, message.seq))).toMatchObject({
      status: 403,
      body: { code: 'role_insufficient' },
    });
    expect(await ben.delete(path(pair, message.seq, `?ifRev=${message.rev + 1}`))).toMatchObject({
      status: 409,
      body: { code: 'stale_rev' },
    });
    expect(await ben.delete(path(pair, message.seq, `?ifRev=${message.rev}`))).toMatchObject({ status: 200 });
  });

  it('counts reactions per emoji, one per member, each change one rev', async () => {
    const c = await createGroup(ada, [ben, eve]);
    const { seq, rev } = await send(ada, c, 'react');
    const put = (person: Person, emoji: string) =>
      person.put<Reactions>(path(c, seq, `/reactions/${encodeURIComponent(emoji)}`));
    expect((await put(ben, '👍')).body).toEqual({
      rev: rev + 1,
      reactions: [{ emoji: '👍', count: 1, userIds: [ben.id] }],
      mine: ['👍'],
      changed: true,
    });
    expect((await put(ben, '👍')).body).toMatchObject({ rev: rev + 1, changed: false });
    await put(eve, '👍');
    const last = await put(ben, '🏳️‍🌈');
    expect(last.body).toEqual({
      rev: rev + 3,
      reactions: [
        { emoji: '👍', count: 2, userIds: [eve.id, ben.id] },
        { emoji: '🏳️‍🌈', count: 1, userIds: [ben.id] },
      ],
      mine: ['👍', '🏳️‍🌈'],
      changed: true,
    });
    const page = await ada.get<{ items: { userId: string; emoji: string }[]; next: string }>(
      path(c, seq, '/reactions?limit=2'),
    );
    const rest = await ada.get<{ items: { userId: string; emoji: string }[]; next: null }>(
      path(c, seq, `/reactions?limit=2&cursor=${page.body.next}`),
    );
    expect([...page.body.items, ...rest.body.items]).toHaveLength(3);
    expect(rest.body.next).toBeNull();
    const off = await ben.delete<Reactions>(path(c, seq, `/reactions/${encodeURIComponent('👍')}`));
    expect(off.body).toMatchObject({ changed: true, mine: ['🏳️‍🌈'] });
    expect((await ben.delete<Reactions>(path(c, seq, `/reactions/${encodeURIComponent('👍')}`))).body.changed).toBe(
      false,
    );
    for (const bad of ['a b', '%00', 'x'.repeat(65)])
      expect(
        (await ben.put(path(c, seq, `/reactions/${bad.startsWith('%') ? bad : encodeURIComponent(bad)}`))).status,
      ).toBe(400);
  });

  it('takes twenty distinct reactions to a message, under concurrency too', async () => {
    const c = await createGroup(ada, [ben]);
    const { seq } = await send(ada, c, 'react');
    const answers = await Promise.all(
      Array.from({ length: 25 }, (_, i) => (i % 2 ? ada : ben).put(path(c, seq, `/reactions/r${i}`))),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(answers.find(({ status }) => status !== 200)).toMatchObject({
      status: 422,
      body: { code: 'limit_exceeded', limit: 'reactions', max: 20 },
    });
    expect((await ben.put(path(c, seq, '/reactions/r999'))).status).toBe(422);
  });

  it('pins by those who may, latest first, fifty at most', async () => {
    const c = await createGroup(ada, [ben]);
    const [one, two] = [await send(ben, c, 'one'), await send(ben, c, 'two')];
    expect(await ben.put(path(c, one.seq, '/pin'))).toMatchObject({ status: 403, body: { code: 'role_insufficient' } });
    expect(await ada.put(path(c, one.seq, '/pin'))).toMatchObject({ status: 200, body: { changed: true } });
    expect(await ada.put(path(c, one.seq, '/pin'))).toMatchObject({ status: 200, body: { changed: false } });
    await ada.put(path(c, two.seq, '/pin'));
    const pins = await ben.get<{ items: MessageView[] }>(`/api/v1/conversations/${c}/pins`);
    expect(pins.body.items.map(({ seq }) => seq)).toEqual([two.seq, one.seq]);
    expect(pins.body.items[0]?.pinned).toMatchObject({ by: ada.id });
    for (let i = 0; i < 48; i++) await send(ada, c, `${i}`);
    await query(
      'UPDATE messages SET pinned_at = now() WHERE conversation_id = $1 AND seq <= 50',
      [c],
      parley.databaseUrl,
    );
    expect(await ada.put(path(c, 51, '/pin'))).toMatchObject({
      status: 422,
      body: { code: 'limit_exceeded', limit: 'pins', max: 50 },
    });
    expect(await ada.delete(path(c, one.seq, '/pin'))).toMatchObject({ status: 200, body: { changed: true } });
    expect(await ada.put(path(c, 51, '/pin'))).toMatchObject({ status: 200 });
  });

  it('closes the edit window', async () => {
    const strict = await createTestApp({ EDIT_WINDOW: '60' }, { databaseUrl: parley.databaseUrl });
    try {
      const c = await createGroup(ada, [ben]);
      const [old, young] = [await send(ada, c, 'old'), await send(ada, c, 'young')];
      await query(
        `UPDATE messages SET created_at = created_at - interval '61 s' WHERE id = $1`,
        [old.id],
        parley.databaseUrl,
      );
      const patch = (seq: number, body: string) =>
        fetch(`${strict.url}${path(c, seq)}`, {
          method: 'PATCH',
          headers: { authorization: `Bearer ${ada.token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ body }),
        });
      expect((await patch(young.seq, 'x')).status).toBe(200);
      const refused = await patch(old.seq, 'x');
      expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'edit_window_closed' }]);
      expect((await patch(old.seq, 'old')).status).toBe(200);
    } finally {
      await strict.close();
    }
  });

  it('does the same by socket', async () => {
    const c = await createGroup(ada, [ben]);
    const socket = await connect(ada);
    const { seq } = await send(ada, c, 'text');
    expect(await socket.emit('message.edit', { c, seq, body: 'new' })).toMatchObject({
      ok: true,
      data: { changed: true, message: { body: 'new' } },
    });
    expect(await socket.emit('reaction.set', { c, seq, emoji: '🎉', on: true })).toMatchObject({
      ok: true,
      data: { mine: ['🎉'], changed: true },
    });
    expect(await socket.emit('reaction.set', { c, seq, emoji: '🎉', on: false })).toMatchObject({
      ok: true,
      data: { mine: [], changed: true },
    });
    expect(await socket.emit('message.delete', { c, seq })).toMatchObject({ ok: true, data: { changed: true } });
    expect(await socket.emit('message.edit', { c: randomUUID(), seq, body: 'new' })).toMatchObject({
      ok: false,
      error: { code: 'not_found' },
    });
    socket.close();
  });
});
