import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { type Connection, connect, type Person, registerMany } from '../../support/people.js';
import {
  type Conversation,
  conversations,
  create,
  feedOf,
  type Me,
  removeMember,
  type Result,
  room,
  show,
  upTo,
} from './support.js';

let app: TestApp;
let second: TestApp;
let ann: Person;
let bob: Person;
let cid: Person;
beforeAll(async () => {
  app = await createTestApp();
  second = await createTestApp({}, { databaseUrl: app.databaseUrl });
  [ann, bob, cid] = (await registerMany(app.url, 3)) as [Person, Person, Person];
});
afterAll(async () => {
  await second.close();
  await app.close();
});

type Marks = [string, number, number][];
const say = async (person: Person, id: string, count = 1) => {
  for (const i of upTo(count)) {
    const { status } = await person.post(`${conversations}/${id}/messages`, { clientId: randomUUID(), body: `${i}` });
    expect(status).toBe(201);
  }
};
const put = (person: Person, id: string, body: unknown): Promise<Result<Me>> =>
  person.put(`${conversations}/${id}/receipts`, body);
const marks = async (person: Person, id: string) =>
  (await person.get<{ items: Marks }>(`${conversations}/${id}/receipts`)).body.items;
const unread = async (person: Person, id: string) => (await person.get(`${conversations}/${id}/unread`)).body;
const direct = async (): Promise<Conversation> => {
  const { body } = await create(ann, { type: 'direct', memberIds: [bob.id] });
  return body;
};
const hideReceipts = async (person: Person, readReceipts: boolean) => {
  const { body } = await person.get<{ privacy: object }>('/api/v1/users/me/preferences');
  await person.put(
    '/api/v1/users/me/preferences',
    { ...body, privacy: { ...body.privacy, readReceipts: !readReceipts } },
    { 'if-match': '*' },
  );
};

describe('receipts', () => {
  it('only rise, are clamped to the head, and reading is receiving', async () => {
    const { id } = await direct();
    await say(ann, id, 5);
    const head = (await show(bob, id)).body.head.seq;
    expect((await put(bob, id, { delivered: head - 1 })).body).toMatchObject({
      deliveredSeq: head - 1,
      readSeq: head - 5,
      unread: 5,
    });
    expect((await put(bob, id, { read: head - 2 })).body).toMatchObject({
      deliveredSeq: head - 1,
      readSeq: head - 2,
      unread: 2,
    });
    expect((await put(bob, id, { read: head - 4, delivered: 1 })).body).toMatchObject({
      deliveredSeq: head - 1,
      readSeq: head - 2,
    });
    expect((await put(bob, id, { read: Number.MAX_SAFE_INTEGER })).body).toMatchObject({
      deliveredSeq: head,
      readSeq: head,
      unread: 0,
    });
    expect(new Set(await marks(ann, id))).toEqual(
      new Set([
        [ann.id, head, head],
        [bob.id, head, head],
      ]),
    );
  });

  it('draw no rev, and reading clears the mark of unread', async () => {
    const { id } = await room([ann, bob]);
    await say(ann, id, 2);
    await bob.patch(`${conversations}/${id}/me`, { markedUnread: true });
    const before = await feedOf(app.databaseUrl, id);
    expect((await put(bob, id, { read: 3 })).body.markedUnread).toBe(false);
    expect(await feedOf(app.databaseUrl, id)).toEqual(before);
  });

  it('of many at the same time are merged to the highest', async () => {
    const { id } = await room([ann, bob]);
    await say(ann, id, 10);
    await Promise.all(upTo(11).map((seq) => put(bob, id, { read: seq })));
    expect((await show(bob, id)).body.me).toMatchObject({ readSeq: 11, deliveredSeq: 11, unread: 0 });
  });

  it('are hidden both ways by whoever hides them', async () => {
    const { id } = await room([ann, bob, cid]);
    await say(ann, id);
    await put(bob, id, { read: 2 });
    await hideReceipts(cid, true);
    try {
      expect((await marks(ann, id)).map(([userId]) => userId).toSorted()).toEqual([ann.id, bob.id].toSorted());
      expect((await marks(cid, id)).map(([userId]) => userId)).toEqual([cid.id]);
    } finally {
      await hideReceipts(cid, false);
    }
    expect(await marks(cid, id)).toHaveLength(3);
  });

  it.each<[string, unknown]>([
    ['nothing', {}],
    ['a position below zero', { read: -1 }],
    ['half a position', { read: 1.5 }],
    ['a position that cannot be', { read: 2 ** 60 }],
    ['a position as text', { delivered: '3' }],
    ['an unknown member', { read: 1, seen: 1 }],
  ])('of %s are refused', async (_, body) => {
    const { id } = await room([ann]);
    expect(await put(ann, id, body)).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
  });
});

describe('unread', () => {
  it('is the distance of two counters; system messages count nothing', async () => {
    const { id } = await room([ann, bob]);
    await say(ann, id, 3);
    expect(await unread(bob, id)).toMatchObject({
      unread: 3,
      capped: false,
      ord: 3,
      readOrd: 0,
      readSeq: 1,
      method: 'watermark',
    });
    expect(await unread(ann, id)).toMatchObject({ unread: 0, readOrd: 3 });
    await put(bob, id, { read: 3 });
    expect(await unread(bob, id)).toMatchObject({ unread: 1, readOrd: 2, readSeq: 3 });
  });
});

describe('by socket', () => {
  let there: Connection[];
  const open = async (person: Person, url = app.url) => {
    const connection = await connect({ url, accessToken: person.accessToken, deviceId: person.deviceId });
    there.push(connection);
    return connection;
  };
  beforeEach(() => void (there = []));
  afterEach(() => {
    for (const connection of there) connection.close();
  });
  const has = (expected: unknown[]) => (rows: unknown[]) =>
    rows.some((row) => JSON.stringify(row) === JSON.stringify(expected));

  it('a receipt is answered with the new state, and told to the room on every replica', async () => {
    const { id } = await room([ann, bob]);
    await say(ann, id, 2);
    const [reader, near, far] = [await open(bob), await open(ann), await open(ann, second.url)];
    const ack = await reader.emit<Me>('receipt', { c: id, read: 3 });
    expect(ack).toMatchObject({ ok: true, data: { readSeq: 3, deliveredSeq: 3, unread: 0 } });
    for (const one of [reader, near, far]) await one.until<unknown[]>('receipts', has([id, bob.id, 3, 3]));
  });

  it('what sending moved is told to the other devices of the sender, on every replica', async () => {
    const { id } = await room([ann, bob]);
    await say(bob, id, 2);
    const [writer, near, far] = [await open(ann), await open(ann), await open(ann, second.url)];
    const message = (fields: object) => ({ c: id, clientId: randomUUID(), body: 'x', ...fields });
    const scheduled = await writer.emit('message.send', message({ markRead: false }));
    expect(scheduled).toMatchObject({ ok: true, data: { message: { seq: 4 } } });
    // Two messages of bob are unread still.
    for (const one of [near, far]) await one.until<unknown[]>('receipts', has([id, ann.id, 1, 1]));
    await writer.emit('message.send', message({}));
    for (const one of [near, far]) await one.until<unknown[]>('receipts', has([id, ann.id, 5, 5]));
    // The one that sent would have been told before.
    await writer.emit('changes', { c: id, after: 0 });
    expect(writer.events.filter(({ event }) => event === 'receipts')).toEqual([]);

    await say(ann, id);
    for (const one of [writer, near, far]) await one.until<unknown[]>('receipts', has([id, ann.id, 6, 6]));
  });

  it('needs no ack', async () => {
    const { id } = await room([ann, bob]);
    await say(ann, id);
    const [reader, writer] = [await open(bob), await open(ann)];
    reader.socket.emit('receipt', { c: id, delivered: 2 });
    await writer.until<unknown[]>('receipts', has([id, bob.id, 2, 1]));
  });

  it('is refused to strangers, and for nonsense', async () => {
    const { id } = await room([ann, bob]);
    await removeMember(ann, id, bob.id);
    const stranger = await open(bob);
    expect(await stranger.emit('receipt', { c: id, read: 1 })).toMatchObject({
      ok: false,
      error: { code: 'not_found' },
    });
    for (const payload of [
      {},
      { c: id },
      { c: 'x', read: 1 },
      { c: id, read: 'x' },
      { c: id, read: 1, more: 1 },
      'x',
      undefined,
    ]) {
      expect(await stranger.emit('receipt', payload)).toMatchObject({
        ok: false,
        error: { code: 'validation_failed' },
      });
    }
    expect(await stranger.emit('receipt', { c: id, threadId: randomUUID(), read: 1 })).toMatchObject({
      ok: false,
      error: { code: 'not_found' },
    });
  });

  it('of somebody who hides theirs reaches their own devices alone, and others’ do not reach them', async () => {
    const { id } = await room([ann, bob, cid]);
    await say(ann, id, 2);
    await hideReceipts(cid, true);
    try {
      const [writer, hidden, hiddenToo, reader] = [
        await open(ann),
        await open(cid),
        await open(cid, second.url),
        await open(bob),
      ];
      await hidden.emit('receipt', { c: id, read: 3 });
      await hiddenToo.until<unknown[]>('receipts', has([id, cid.id, 3, 3]));
      await reader.emit('receipt', { c: id, read: 3 });
      await writer.until<unknown[]>('receipts', has([id, bob.id, 3, 3]));
      const seen = (one: Connection) =>
        one.events.filter(({ event }) => event === 'receipts').flatMap(({ payload }) => payload as unknown[]);
      expect(seen(writer)).not.toContainEqual([id, cid.id, 3, 3]);
      // Both were told in one event of the bus after the other, so bob's would have come by now.
      await hidden.emit('receipt', { c: id, read: 3 });
      expect(seen(hidden)).not.toContainEqual([id, bob.id, 3, 3]);
    } finally {
      await hideReceipts(cid, false);
    }
  });
});
