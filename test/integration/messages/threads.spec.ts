import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { connect, type Person, registerMany } from '../../support/people.js';
import type { ThreadDetailView } from '../../../src/modules/messages/dto/thread.view.js';
import { createGroup, send } from './support.js';

interface Change {
  t: string;
  rev: number;
  from: number;
  v: ThreadDetailView;
}

describe('threads', () => {
  let parley: TestApp;
  let ada: Person;
  let ben: Person;
  let eve: Person;
  beforeAll(async () => {
    parley = await createTestApp();
    [ada, ben, eve] = (await registerMany(parley.url, 3)) as [Person, Person, Person];
  });
  afterAll(() => parley.close());
  const open = async (c: string, rootSeq: number, person = ben) =>
    (await person.post<ThreadDetailView>(`/api/v1/conversations/${c}/threads`, { rootSeq, title: 'Topic' })).body;

  it('grows under a message, with a state of its own for each reader', async () => {
    const c = await createGroup(ada, [ben, eve]);
    const root = await send(ada, c, 'root');
    const thread = await open(c, root.seq);
    expect(thread).toMatchObject({
      conversationId: c,
      rootSeq: root.seq,
      title: 'Topic',
      locked: false,
      replyCount: 0,
      lastReplySeq: null,
      me: { following: true, readSeq: 0, unread: 0 },
    });
    expect(await eve.post(`/api/v1/conversations/${c}/threads`, { rootSeq: root.seq })).toMatchObject({
      status: 200,
      body: { id: thread.id },
    });
    const before = await ada.get<{ unread: number }>(`/api/v1/conversations/${c}/unread`);
    const reply = await send(eve, c, { body: 'reply', threadId: thread.id });
    expect(reply).toMatchObject({ threadId: thread.id, seq: root.seq + 1 });
    const seenByAda = await ada.get<ThreadDetailView>(`/api/v1/threads/${thread.id}`);
    expect(seenByAda.body).toMatchObject({
      replyCount: 1,
      lastReplySeq: reply.seq,
      rev: reply.rev + 1,
      me: { following: true, unread: 1 },
    });
    // Replies share the conversation's seq, not its unread.
    expect((await ada.get<{ unread: number }>(`/api/v1/conversations/${c}/unread`)).body.unread).toBe(
      before.body.unread,
    );
    expect((await eve.get<ThreadDetailView>(`/api/v1/threads/${thread.id}`)).body.me).toEqual({
      following: true,
      readSeq: reply.seq,
      unread: 0,
    });
    expect(await ada.put(`/api/v1/threads/${thread.id}/read`, { seq: 9999 })).toMatchObject({
      status: 200,
      body: { readSeq: reply.seq, unread: 0 },
    });
    const page = await ada.get<{ items: { seq: number }[] }>(`/api/v1/threads/${thread.id}/messages`);
    expect(page.body).toMatchObject({ items: [{ seq: reply.seq }], hasBefore: false, hasAfter: false });
    const shown = await ada.get<{ thread: { replyCount: number } }>(`/api/v1/conversations/${c}/messages/${root.seq}`);
    expect(shown.body.thread).toMatchObject({ id: thread.id, replyCount: 1 });
    const members = await ada.get<{ items: { userId: string; following: boolean }[] }>(
      `/api/v1/threads/${thread.id}/members`,
    );
    expect(members.body.items.map(({ userId }) => userId).toSorted()).toEqual([ada.id, ben.id, eve.id].toSorted());
  });

  it('tells the room message and thread as two changes, and their loss as two more', async () => {
    const c = await createGroup(ada, [ben]);
    const socket = await connect(ada);
    const root = await send(ada, c, 'root');
    const thread = await open(c, root.seq);
    const reply = await send(ben, c, { body: 'reply', threadId: thread.id });
    const changed = await socket.until<Change>('change', (x) => x.t === 'thread' && x.v.replyCount === 1);
    expect(changed).toMatchObject({ rev: reply.rev + 1, from: reply.rev, v: { lastReplySeq: reply.seq } });
    await ben.delete(`/api/v1/conversations/${c}/messages/${reply.seq}`);
    const after = await socket.until<Change>('change', (x) => x.t === 'thread' && x.rev > changed.rev);
    expect(after).toMatchObject({ rev: changed.rev + 2, v: { replyCount: 0 } });
    socket.close();
  });

  it('counts every reply of a burst', async () => {
    const c = await createGroup(ada, [ben]);
    const root = await send(ada, c, 'root');
    const thread = await open(c, root.seq);
    const socket = await connect(ada);
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        send(i % 2 ? ada : ben, c, i % 4 === 3 ? { body: `${i}` } : { body: `${i}`, threadId: thread.id }),
      ),
    );
    const { body } = await ada.get<ThreadDetailView>(`/api/v1/threads/${thread.id}`);
    expect(body.replyCount).toBe(30);
    const [row] = await query<{ last: number; rev: number }>(
      'SELECT max(seq)::int AS last, (SELECT rev::int FROM conversation_head WHERE conversation_id = $1) AS rev FROM messages WHERE thread_id = $2',
      [c, thread.id],
      parley.databaseUrl,
    );
    expect(body.lastReplySeq).toBe(row?.last);
    // Live ranges join without gap or overlap up to the head.
    await socket.until('change', (x: { rev: number }) => x.rev === row?.rev);
    const ranges = socket.events
      .filter(({ event }) => event === 'change')
      .map(({ payload }) => payload as { from: number; rev: number });
    ranges.slice(1).forEach(({ from }, i) => expect(from).toBe(ranges[i]?.rev));
    socket.close();
  });

  it('is renamed and locked by its starter or an admin, and takes no replies while locked', async () => {
    const c = await createGroup(ada, [ben, eve]);
    const root = await send(eve, c, 'root');
    const thread = await open(c, root.seq);
    expect(await eve.patch(`/api/v1/threads/${thread.id}`, { title: 'Mine' })).toMatchObject({
      status: 403,
      body: { code: 'role_insufficient' },
    });
    expect(await ben.patch(`/api/v1/threads/${thread.id}`, { title: 'New' })).toMatchObject({
      status: 200,
      body: { title: 'New', rev: thread.rev + 1 },
    });
    expect(await ben.patch(`/api/v1/threads/${thread.id}`, { title: 'New' })).toMatchObject({
      status: 200,
      body: { rev: thread.rev + 1 },
    });
    expect(await ada.patch(`/api/v1/threads/${thread.id}`, { locked: true })).toMatchObject({
      status: 200,
      body: { locked: true },
    });
    const reply = { clientId: crypto.randomUUID(), body: 'x', threadId: thread.id };
    expect(await ada.post(`/api/v1/conversations/${c}/messages`, reply)).toMatchObject({
      status: 409,
      body: { code: 'invalid_state' },
    });
    await ada.patch(`/api/v1/threads/${thread.id}`, { locked: false });
    expect((await ada.post(`/api/v1/conversations/${c}/messages`, reply)).status).toBe(201);
  });

  it('is followed and left by its members', async () => {
    const c = await createGroup(ada, [ben, eve]);
    const thread = await open(c, (await send(ada, c, 'root')).seq);
    expect((await ben.delete(`/api/v1/threads/${thread.id}/members/me`)).status).toBe(204);
    await send(ben, c, { body: 'still not following', threadId: thread.id });
    expect((await ben.get<ThreadDetailView>(`/api/v1/threads/${thread.id}`)).body.me.following).toBe(false);
    expect((await eve.put(`/api/v1/threads/${thread.id}/members/me`)).status).toBe(204);
    expect((await eve.get<ThreadDetailView>(`/api/v1/threads/${thread.id}`)).body.me).toMatchObject({
      following: true,
      unread: 1,
    });
  });

  it('does not begin under a reply, a tombstone, or in another conversation', async () => {
    const [c, other] = [await createGroup(ada, [ben]), await createGroup(ada, [ben])];
    const thread = await open(c, (await send(ada, c, 'root')).seq);
    const reply = await send(ada, c, { body: 'reply', threadId: thread.id });
    expect(await ada.post(`/api/v1/conversations/${c}/threads`, { rootSeq: reply.seq })).toMatchObject({
      status: 409,
      body: { code: 'invalid_state' },
    });
    const gone = await send(ada, c, 'gone');
    await ada.delete(`/api/v1/conversations/${c}/messages/${gone.seq}`);
    expect(await ada.post(`/api/v1/conversations/${c}/threads`, { rootSeq: gone.seq })).toMatchObject({
      status: 410,
      body: { code: 'message_deleted' },
    });
    expect(
      await ada.post(`/api/v1/conversations/${other}/messages`, {
        clientId: crypto.randomUUID(),
        body: 'x',
        threadId: thread.id,
      }),
    ).toMatchObject({ status: 404 });
    for (const request of [
      eve.get(`/api/v1/threads/${thread.id}`),
      eve.get(`/api/v1/threads/${thread.id}/messages`),
      eve.put(`/api/v1/threads/${thread.id}/read`, { seq: 1 }),
    ]) {
      expect((await request).status).toBe(404);
    }
  });

  it('lists the latest reply first, page by page', async () => {
    const c = await createGroup(ada, [ben]);
    const roots = [await send(ada, c, 'a'), await send(ada, c, 'b'), await send(ada, c, 'c')];
    const threads: ThreadDetailView[] = [];
    for (const root of roots) threads.push(await open(c, root.seq));
    await send(ada, c, { body: 'x', threadId: threads[0]?.id });
    const first = await ada.get<{ items: ThreadDetailView[]; next: string }>(
      `/api/v1/conversations/${c}/threads?limit=2`,
    );
    const second = await ada.get<{ items: ThreadDetailView[]; next: null }>(
      `/api/v1/conversations/${c}/threads?limit=2&cursor=${first.body.next}`,
    );
    expect([...first.body.items, ...second.body.items].map(({ id }) => id)).toEqual([
      threads[0]?.id,
      threads[2]?.id,
      threads[1]?.id,
    ]);
    expect(second.body.next).toBeNull();
  });
});
