import { randomUUID } from 'node:crypto';
import {
  type ConversationView,
  Parley,
  type ParleyOptions,
  type StoredSend,
  storageStore,
} from '../../client/src/index.js';
import { createTestApp, type TestApp } from '../support/app.js';
import { temporaryFolder } from '../support/server-process.js';
import { TcpProxy } from '../support/tcp-proxy.js';

/** An account of its own, connected. */
async function person(url: string, displayName: string, options: ParleyOptions = {}): Promise<Parley> {
  const identifier = `${randomUUID()}@example.com`;
  const parley = await Parley.register(url, { identifier, password: 'correct horse battery', displayName }, options);
  await parley.connect();
  return parley;
}

describe('the client against the real server', () => {
  let parley: TestApp;
  let replica: TestApp;
  let files: Awaited<ReturnType<typeof temporaryFolder>>;
  const open: Parley[] = [];
  const arrive = async (...args: Parameters<typeof person>) => {
    const one = await person(...args);
    open.push(one);
    return one;
  };

  beforeAll(async () => {
    files = await temporaryFolder();
    parley = await createTestApp({ MEDIA_DIR: files.path });
    replica = await createTestApp({ MEDIA_DIR: files.path }, { databaseUrl: parley.databaseUrl });
  });
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });
  afterAll(async () => {
    await replica.close();
    await parley.close();
    await files.remove();
  });

  it('carries a conversation between two replicas: messages, edits, reactions, receipts, deletion', async () => {
    const ada = await arrive(parley.url, 'Ada');
    const ben = await arrive(replica.url, 'Ben');
    const chat = await ada.direct(ben.userId);
    const received = ben.once('message');
    const sent = await chat.send('Hello Ben 👋');
    const { conversation, message } = await received;
    expect(message).toMatchObject({ id: sent.id, seq: 1, body: 'Hello Ben 👋', senderId: ada.userId });
    expect(conversation.view.me.unread).toBe(1);

    const edited = ben.once('message.changed', (event) => event.message.editedAt !== null);
    await chat.edit(1, 'Hello Ben!');
    expect((await edited).message.body).toBe('Hello Ben!');

    const reacted = ada.once('message.changed', (event) => event.message.reactions.length > 0);
    await conversation.react(1, '👍');
    expect((await reacted).message.reactions).toEqual([{ emoji: '👍', count: 1, userIds: [ben.userId] }]);

    const read = ada.once('conversation', () => (chat.view.receipts.get(ben.userId)?.read ?? 0) >= 1);
    conversation.markRead();
    expect(conversation.view.me.unread).toBe(0);
    await read;

    const gone = ben.once('message.changed', (event) => event.message.deletedAt !== null);
    await chat.delete(1);
    expect((await gone).message).toMatchObject({ body: null, seq: 1 });
  });

  it('shows a message before it is sent, once, and in the order of sending', async () => {
    const ada = await arrive(parley.url, 'Ada');
    const chat = await ada.group('Notes');
    const started = chat.view.timeline.length;
    const done = Array.from({ length: 20 }, (_, i) => chat.send(`note ${i}`));
    await chat.queue('the last');
    const texts = () => chat.view.timeline.slice(started).map(({ body }) => body);
    expect(texts()).toEqual([...Array.from({ length: 20 }, (_, i) => `note ${i}`), 'the last']);
    expect(chat.view.timeline.some(({ state }) => state === 'pending')).toBe(true);
    await Promise.all(done);
    while (chat.view.timeline.some(({ state }) => state !== 'sent')) await ada.once('conversation');
    expect(texts()).toEqual([...Array.from({ length: 20 }, (_, i) => `note ${i}`), 'the last']);
  });

  it('keeps what was written while offline, across a restart of the program, and sends it once', async () => {
    const disk = new Map<string, string>();
    const outbox = storageStore({
      getItem: (key) => disk.get(key) ?? null,
      setItem: (key, value) => disk.set(key, value),
      removeItem: (key) => disk.delete(key),
    });
    const ada = await arrive(parley.url, 'Ada', { outbox });
    const ben = await arrive(replica.url, 'Ben');
    const chat = await ada.direct(ben.userId);
    if (!ben.conversation(chat.id)) await ben.once('conversation', ({ conversation }) => conversation.id === chat.id);
    const tokens = ada.tokens;
    ada.close();
    await chat.queue('one');
    await chat.queue('two');
    expect((JSON.parse([...disk.values()][0] ?? '[]') as StoredSend[]).map(({ fields }) => fields.body)).toEqual([
      'one',
      'two',
    ]);

    if (!tokens) throw new Error('no tokens');
    const second = ben.once('message', ({ message }) => message.body === 'two');
    const again = Parley.resume(replica.url, tokens, { outbox });
    open.push(again);
    await again.connect();
    await second;
    const { items } = await ben.api.history(chat.id);
    expect(items.map(({ body }) => body)).toEqual(['one', 'two']);
    while (again.conversation(chat.id)?.view.timeline.some(({ state }) => state !== 'sent')) {
      await again.once('conversation');
    }
    expect(again.conversation(chat.id)?.view.timeline.map(({ body }) => body)).toEqual(['one', 'two']);
    expect([...disk.values()]).toEqual([]);
  });

  it('catches up after its connection was cut, with no message lost or doubled', async () => {
    const ada = await arrive(parley.url, 'Ada');
    const ben = await arrive(replica.url, 'Ben');
    const chat = await ada.direct(ben.userId);
    const texts: string[] = [];
    ben.on('message', ({ message }) => texts.push(message.body ?? ''));
    for (let i = 0; i < 5; i++) {
      const back = ben.once('synced');
      ben.cutConnection();
      await Promise.all([chat.send(`while away ${i}`), chat.send(`and ${i}`), back]);
    }
    await chat.send('the end');
    while (texts.at(-1) !== 'the end') await ben.once('message');
    expect(texts).toEqual([...Array.from({ length: 5 }, (_, i) => [`while away ${i}`, `and ${i}`]).flat(), 'the end']);
  });

  it('pages older messages in front, without a hole', async () => {
    const ada = await arrive(parley.url, 'Ada');
    const chat = await ada.group('Long');
    for (let i = 0; i < 120; i++) await chat.queue(`${i}`);
    await chat.send('last');
    const other = Parley.resume(replica.url, await signInAgain(ada));
    open.push(other);
    await other.connect();
    const view = () => other.conversation(chat.id)?.view;
    expect(view()?.timeline.length).toBe(50);
    expect(view()?.hasOlder).toBe(true);
    while (await other.conversation(chat.id)?.loadOlder()) continue;
    const seqs = view()?.timeline.map(({ seq }) => seq);
    expect(seqs).toEqual(Array.from({ length: view()?.timeline.at(-1)?.seq ?? 0 }, (_, i) => i + 1));
  });

  async function signInAgain(one: Parley) {
    // Another device of the same person.
    const { email } = await one.api.me();
    const device = await Parley.login(parley.url, { identifier: email ?? '', password: 'correct horse battery' });
    const { tokens } = device;
    device.close();
    if (!tokens) throw new Error('no tokens');
    return tokens;
  }

  it('says why a message is refused, goes on with the next, and lets the user discard it', async () => {
    const ada = await arrive(parley.url, 'Ada');
    const ben = await arrive(parley.url, 'Ben');
    const chat = await ada.direct(ben.userId);
    const refused = chat.send({ body: 'reply to nothing', replyToSeq: 999 });
    await expect(refused).rejects.toMatchObject({ name: 'ParleyError', status: expect.any(Number) });
    await chat.send('fine');
    const failed = chat.view.timeline.find(({ state }) => state === 'failed');
    expect(failed).toMatchObject({ body: 'reply to nothing', problem: { code: expect.any(String) } });
    await ada.discard(failed?.key ?? '');
    expect(chat.view.timeline.map(({ body }) => body)).toEqual(['fine']);
  });

  it('hears of a conversation it is put into, and of its removal', async () => {
    const ada = await arrive(parley.url, 'Ada');
    const ben = await arrive(replica.url, 'Ben');
    const heard = ben.once('conversation');
    const group = await ada.group('Team', [ben.userId]);
    expect((await heard).conversation.id).toBe(group.id);
    const gone = ben.once('conversation.gone');
    await ada.api.removeMember(group.id, ben.userId);
    expect(await gone).toEqual({ id: group.id, reason: 'removed' });
    expect(ben.conversation(group.id)).toBeUndefined();
    const back = ben.once('conversation', ({ conversation }) => conversation.id === group.id);
    await ada.api.addMembers(group.id, [ben.userId]);
    await back;
    const told = ben.once('message', ({ message }) => message.body === 'welcome back');
    await group.send('welcome back');
    await told;
  });

  it('uploads a file, sends it, and the other side can load it', async () => {
    const ada = await arrive(parley.url, 'Ada');
    const ben = await arrive(replica.url, 'Ben');
    const chat = await ada.direct(ben.userId);
    const steps: number[] = [];
    const file = new Blob(['plain text of a file'], { type: 'text/plain' });
    const media = await ada.api.upload(file, { name: 'note.txt', onProgress: (sent) => steps.push(sent) });
    expect(steps).toEqual([file.size]);
    const heard = ben.once('message');
    await chat.send({ attachmentIds: [media.id] });
    expect((await heard).message.attachments).toMatchObject([{ mediaId: media.id, name: 'note.txt' }]);
  });

  it('shows on every device what its user has read, also by sending', async () => {
    const login = { identifier: `${randomUUID()}@example.com`, password: 'correct horse battery' };
    const near = await Parley.register(parley.url, { ...login, displayName: 'Ben' });
    const far = await Parley.login(replica.url, login);
    open.push(near, far);
    await Promise.all([near.connect(), far.connect()]);
    const ada = await arrive(parley.url, 'Ada');
    const { id } = await ada.group('Reading', [near.userId]);
    const view = (device: Parley) => device.conversation(id)?.view;
    const until = async (device: Parley, test: (view?: ConversationView) => boolean) => {
      if (!test(view(device))) await device.once('conversation', () => test(view(device)));
    };
    for (const device of [near, far]) await until(device, (now) => now !== undefined);
    await ada.send(id, 'one');
    await ada.send(id, 'two');
    for (const device of [near, far]) await until(device, (now) => now?.me.unread === 2);

    await near.conversation(id)?.send({ body: 'by the way', markRead: false });
    for (const device of [near, far])
      await until(device, (now) => now?.timeline.at(-1)?.body === 'by the way' && now.me.unread === 3);
    const { seq } = (await near.conversation(id)?.send('yes')) ?? {};
    for (const device of [near, far]) {
      await until(device, (now) => now?.me.unread === 0);
      expect(view(device)?.me.readSeq).toBe(seq);
    }
  });

  it('shows who is typing', async () => {
    const ada = await arrive(parley.url, 'Ada');
    const ben = await arrive(replica.url, 'Ben');
    const chat = await ada.direct(ben.userId);
    await chat.send('hi');
    const seen = ada.once('conversation', () => chat.view.typing.includes(ben.userId));
    const own = ben.conversation(chat.id) ?? (await ben.once('conversation')).conversation;
    // At each keystroke, as a page does: a hint may be lost.
    const keystrokes = setInterval(() => own.typing(), 100);
    await seen;
    clearInterval(keystrokes);
    const stopped = ada.once('conversation', () => chat.view.typing.length === 0);
    await own.send('done');
    await stopped;
  });

  it('renews its token on the open socket, and says so when the sign-in has ended', async () => {
    const short = await createTestApp({ ACCESS_TOKEN_TTL: '60' }, { databaseUrl: parley.databaseUrl });
    try {
      const ada = await arrive(short.url, 'Ada');
      const before = ada.tokens?.accessToken;
      const lost: string[] = [];
      ada.on('status', ({ status }) => lost.push(status));
      const renewed = ada.once('tokens');
      await ada.renewToken();
      expect((await renewed).accessToken).not.toBe(before);
      expect(lost).toEqual([]);
      const ended = ada.once('signed-out');
      await ada.rest.post('/auth/logout');
      expect((await ended).error.status).toBe(401);
      expect(ada.status).toBe('signed-out');
    } finally {
      await short.close();
    }
  });

  it('waits for a server that is not there yet', async () => {
    const ada = await arrive(parley.url, 'Ada');
    const tokens = ada.tokens;
    ada.close();
    if (!tokens) throw new Error('no tokens');
    const { hostname: host, port } = new URL(parley.url);
    const network = await TcpProxy.start({ host, port: Number(port) });
    network.set('refuse');
    const early = Parley.resume(`http://127.0.0.1:${network.port}`, tokens);
    open.push(early);
    const connected = early.connect();
    await early.once('status', ({ status, error }) => status === 'offline' && error !== undefined);
    network.set('pass');
    await connected;
    expect(early.status).toBe('online');
    early.close();
    await network.stop();
  });
});
