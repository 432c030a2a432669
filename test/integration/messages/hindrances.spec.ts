import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from 'pg';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
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

  describe('transactions that get into each other’s way', () => {
    /** The first so many writes of these rows end as PostgreSQL ends one of two that cannot both be. Answers how many there were. */
    const conflicts = async (
      table: string,
      count: number,
      work: () => Promise<void>,
      rows = 'true',
    ): Promise<number> => {
      await query(
        `CREATE SEQUENCE tries;
         CREATE FUNCTION conflict() RETURNS trigger AS $$ BEGIN
           IF nextval('tries') <= ${count} THEN RAISE EXCEPTION 'planted' USING ERRCODE = 'serialization_failure'; END IF;
           RETURN NEW; END $$ LANGUAGE plpgsql;
         CREATE TRIGGER conflict BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW WHEN (${rows}) EXECUTE FUNCTION conflict()`,
        [],
        plain.databaseUrl,
      );
      try {
        await work();
        const [row] = await query<{ tries: number }>(
          'SELECT last_value::int AS tries FROM tries',
          [],
          plain.databaseUrl,
        );
        return row?.tries ?? 0;
      } finally {
        const drop = `DROP TRIGGER conflict ON ${table}; DROP FUNCTION conflict(); DROP SEQUENCE tries`;
        await query(drop, [], plain.databaseUrl);
      }
    };
    const mute = (notifyLevel: string) => ada.patch(`/api/v1/conversations/${c}/me`, { notifyLevel });

    it('are tried three times', async () => {
      const muted = async () => expect((await mute('none')).status).toBe(200);
      expect(await conflicts('memberships', 2, muted, `NEW.notify_level = 'none'`)).toBe(3);
    });

    it('are given up after the third, and left as they were', async () => {
      const given = async () =>
        expect(await mute('mentions')).toMatchObject({ status: 503, body: { code: 'overloaded' } });
      expect(await conflicts('memberships', 1000, given, `NEW.notify_level = 'mentions'`)).toBe(3);
      const { body } = await ada.get<{ me: { notifyLevel: string } }>(`/api/v1/conversations/${c}`);
      expect(body.me.notifyLevel).toBe('none');
    });

    it('a send among them is stored once, whether it got through or was repeated', async () => {
      const [first, second] = [randomUUID(), randomUUID()];
      await conflicts('messages', 2, async () => expect((await post(ada, 'x', { clientId: first })).status).toBe(201));
      await conflicts('messages', 1000, async () =>
        expect(await post(ada, 'y', { clientId: second })).toMatchObject({ status: 503, body: { code: 'overloaded' } }),
      );
      expect((await post(ada, 'y', { clientId: second })).status).toBe(201);
      expect((await post(ada, 'x', { clientId: first })).status).toBe(200);
      const [dense] = await query<{ n: number; last: number }>(
        `SELECT count(*)::int AS n, max(h.seq)::int AS last FROM messages m JOIN conversation_head h USING (conversation_id)
         WHERE conversation_id = $1`,
        [c],
        plain.databaseUrl,
      );
      expect(dense?.n).toBe(dense?.last);
    });

    it('a deadlock is broken by PostgreSQL, and the request succeeds', async () => {
      const room = await createGroup(ada, [ben]);
      const [name] = await query<{ name: string }>('SELECT current_database() AS name', [], plain.databaseUrl);
      // Time for the other one to get in; who looks first is the one that is rolled back.
      await query(`ALTER DATABASE "${name?.name}" SET deadlock_timeout = '4s'`, [], plain.databaseUrl);
      const limits = { DB_LOCK_TIMEOUT_MS: '60000', DB_STATEMENT_TIMEOUT_MS: '60000' };
      const patient = await createTestApp(limits, { databaseUrl: plain.databaseUrl });
      const hostile = new Client({ connectionString: plain.databaseUrl });
      await hostile.connect();
      try {
        await hostile.query(`BEGIN; SET LOCAL deadlock_timeout = '60s'`);
        await hostile.query('SELECT FROM user_head WHERE user_id = $1 FOR UPDATE', [ben.id]);
        const { rows } = await hostile.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        const removal = acting(ada, patient.url).delete(`/api/v1/conversations/${room}/members/${ben.id}`);
        await eventually(async () => {
          const waiting = await query(
            'SELECT 1 FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))',
            [rows[0]?.pid],
            plain.databaseUrl,
          );
          expect(waiting).toHaveLength(1);
        });
        // Held by the request: this goes on when the request was chosen to give way.
        await hostile.query('SELECT FROM conversation_head WHERE conversation_id = $1 FOR UPDATE', [room]);
        await hostile.query('COMMIT');
        expect((await removal).status).toBe(204);
        await eventually(async () => {
          const [stats] = await query<{ deadlocks: number }>(
            'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
            [],
            plain.databaseUrl,
          );
          expect(stats?.deadlocks).toBe(1);
        });
      } finally {
        await hostile.end();
        await patient.close();
        await query(`ALTER DATABASE "${name?.name}" RESET deadlock_timeout`, [], plain.databaseUrl);
      }
    });
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
