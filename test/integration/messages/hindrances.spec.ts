import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from 'pg';
import { createTestApp, type TestApp } from '../../support/app.js';
import { type Person, registerMany } from '../../support/people.js';
import { acting, createGroup, type SendResult, send } from './support.js';

describe('what stands in the way of a message', () => {
  let plain: TestApp;
  let ada: Person;
  let ben: Person;
  let c: string;
  beforeAll(async () => {
    plain = await createTestApp({ DB_LOCK_TIMEOUT_MS: '100' });
    [ada, ben] = (await registerMany(plain.url, 2)) as [Person, Person];
    c = await createGroup(ada, [ben]);
  });
  afterAll(() => plain.close());
  const post = (person: Person, body: string, fields: Record<string, unknown> = {}, room = c) =>
    person.post<SendResult & { code?: string; scope?: string }>(`/api/v1/conversations/${room}/messages`, {
      clientId: randomUUID(),
      body,
      ...fields,
    });

  it('a locked head holds up its own conversation alone, and the same clientId gets through afterwards', async () => {
    const other = await createGroup(ada, [ben]);
    const holder = new Client({ connectionString: plain.databaseUrl });
    await holder.connect();
    const clientId = randomUUID();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT FROM conversation_head WHERE conversation_id = $1 FOR UPDATE', [c]);
      expect(await post(ada, 'x', { clientId })).toMatchObject({
        status: 503,
        body: { code: 'overloaded', scope: 'conversation' },
      });
      expect((await post(ada, 'y', {}, other)).status).toBe(201);
      await holder.query('ROLLBACK');
    } finally {
      await holder.end();
    }
    expect((await post(ada, 'x', { clientId })).status).toBe(201);
  });

  describe('the moderation hook', () => {
    let hook: Server;
    let answer: (asked: { body: string; conversationId: string; senderId: string }) => unknown;
    let open: TestApp;
    let closed: TestApp;
    beforeAll(async () => {
      hook = createServer((request, response) => {
        let text = '';
        request.on('data', (part: Buffer) => (text += part.toString()));
        request.on('end', () => {
          const reply = answer(JSON.parse(text) as never);
          if (reply !== undefined) response.end(JSON.stringify(reply));
        });
      });
      hook.listen(0, '127.0.0.1');
      await once(hook, 'listening');
      const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
      open = await createTestApp({ MODERATION_HOOK_URL: url }, { databaseUrl: plain.databaseUrl });
      closed = await createTestApp(
        { MODERATION_HOOK_URL: url, MODERATION_HOOK_FAIL: 'closed' },
        { databaseUrl: plain.databaseUrl },
      );
    });
    afterAll(async () => {
      await open.close();
      await closed.close();
      hook.closeAllConnections();
      hook.close();
    });

    it('lets through, refuses, or writes something else', async () => {
      const sender = acting(ada, open.url);
      answer = (asked) => {
        expect(asked).toMatchObject({ conversationId: c, senderId: ada.id });
        if (asked.body.includes('spam')) return { action: 'reject' };
        return asked.body.includes('darn')
          ? { action: 'replace', body: asked.body.replace('darn', '****') }
          : { action: 'allow' };
      };
      expect(await post(sender, 'hello')).toMatchObject({ status: 201, body: { message: { body: 'hello' } } });
      expect(await post(sender, 'spam')).toMatchObject({ status: 403, body: { code: 'message_rejected' } });
      const clientId = randomUUID();
      const replaced = await post(sender, 'darn it', { clientId });
      expect(replaced).toMatchObject({ status: 201, body: { message: { body: '**** it' } } });
      expect(await post(sender, 'darn it', { clientId })).toMatchObject({
        status: 200,
        body: { message: { body: '**** it' } },
      });
      const path = `/api/v1/conversations/${c}/messages/${replaced.body.message.seq}`;
      expect(await sender.patch(path, { body: 'spam' })).toMatchObject({
        status: 403,
        body: { code: 'message_rejected' },
      });
    });

    it.each([
      ['does not answer', () => undefined],
      ['answers nonsense', () => ({ action: 'maybe' })],
    ])('when it %s, is passed over or waited for, as configured', async (_, reply) => {
      answer = reply;
      expect((await post(acting(ada, open.url), 'through')).status).toBe(201);
      expect(await post(acting(ada, closed.url), 'not through')).toMatchObject({
        status: 503,
        body: { code: 'dependency_unavailable' },
      });
    });
  });

  it('nothing, for a member of a channel with ten thousand members', async () => {
    const channel = await createGroup(ada, [ben], {
      type: 'channel',
      title: 'Big',
      settings: { whoCanPost: 'member' },
    });
    const client = new Client({ connectionString: plain.databaseUrl });
    await client.connect();
    await client.query(
      `INSERT INTO users (id, display_name, locale, time_zone, rev) SELECT gen_random_uuid(), 'crowd', 'en', 'UTC', 1 FROM generate_series(1, 9998)`,
    );
    await client.query(
      `INSERT INTO memberships (conversation_id, user_id, rev, user_rev) SELECT $1, id, 1, 1 FROM users WHERE display_name = 'crowd'`,
      [channel],
    );
    await client.end();
    expect((await send(ben, channel, { body: 'hello, all', mentions: [ada.id] })).mentions).toEqual([ada.id]);
    const { body } = await ben.post<{ conversations: { id: string; receipts: unknown; changes: unknown[] }[] }>(
      '/api/v1/sync',
      {},
    );
    const entry = body.conversations.find(({ id }) => id === channel);
    expect(entry?.receipts).toBeNull();
    expect(entry?.changes.filter((change) => (change as { t: string }).t === 'member')).toHaveLength(100);
  });
});
