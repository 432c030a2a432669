import { randomUUID } from 'node:crypto';
import { Feeds, type UserReader } from '../../../src/platform/realtime/feeds.js';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { connect, type Person, registerMany } from '../../support/people.js';
import type { ChangesView, SyncView } from '../../../src/modules/messages/dto/sync.dto.js';
import type { MessageView } from '../../../src/modules/messages/dto/message.view.js';
import { acting, createGroup, direct, send } from './support.js';

describe('sync and changes', () => {
  let parley: TestApp;
  let ada: Person;
  let ben: Person;
  let eve: Person;
  let epoch: string;
  beforeAll(async () => {
    parley = await createTestApp();
    [ada, ben, eve] = (await registerMany(parley.url, 3)) as [Person, Person, Person];
    epoch = (await ada.post<SyncView>('/api/v1/sync', {})).body.epoch;
  });
  afterAll(() => parley.close());
  const sync = async (person: Person, request: Record<string, unknown>) => {
    const { status, body } = await person.post<SyncView>('/api/v1/sync', { epoch, ...request });
    if (status !== 200) throw new Error(JSON.stringify(body));
    return body;
  };
  const entry = (answer: SyncView, c: string) => answer.conversations.find(({ id }) => id === c);
  const changes = async (person: Person, c: string, after: number, limit = 100) =>
    (await person.get<ChangesView>(`/api/v1/conversations/${c}/changes?after=${after}&limit=${limit}`)).body;

  it('gives a new client the newest page, and one who was here what has changed', async () => {
    const c = await createGroup(ada, [ben]);
    for (let i = 0; i < 60; i++) await send(ada, c, `${i}`);
    const first = entry(await sync(ben, {}), c);
    expect(first).toMatchObject({
      limited: true,
      conversation: { id: c, title: 'Group', memberCount: 2 },
      me: { unread: 60 },
    });
    const messages = first?.changes.filter(({ t }) => t === 'message') ?? [];
    expect(messages.map(({ v }) => (v as MessageView).seq)).toEqual(Array.from({ length: 50 }, (_, i) => 12 + i));
    expect(first?.changes.filter(({ t }) => t === 'member')).toHaveLength(2);
    expect(first?.receipts?.map(([user]) => user).toSorted()).toEqual([ada.id, ben.id].toSorted());

    const idle = entry(await sync(ben, { heads: { [c]: first?.upTo } }), c);
    expect(idle).toMatchObject({
      limited: false,
      conversation: null,
      changes: [],
      receipts: null,
      upTo: first?.upTo,
      me: { unread: 60 },
    });

    const sent = await send(ada, c, 'newer');
    await ada.patch(`/api/v1/conversations/${c}/messages/20`, { body: 'edited' });
    const next = entry(await sync(ben, { heads: { [c]: first?.upTo } }), c);
    expect(next).toMatchObject({ limited: false, head: { seq: 62, rev: sent.rev + 1 }, upTo: sent.rev + 1 });
    expect(next?.changes.map(({ rev, v }) => [rev, (v as MessageView).seq])).toEqual([
      [sent.rev, 62],
      [sent.rev + 1, 20],
    ]);
  });

  it('starts anew what is too far behind, ahead of the server, or of another epoch', async () => {
    const c = await createGroup(ada, [ben]);
    const position = entry(await sync(ben, {}), c)?.upTo ?? 0;
    for (let i = 0; i < 6; i++) await send(ada, c, `${i}`);
    expect(entry(await sync(ben, { heads: { [c]: position }, limit: 5 }), c)).toMatchObject({ limited: true });
    expect(entry(await sync(ben, { heads: { [c]: position }, limit: 6 }), c)).toMatchObject({ limited: false });
    expect(entry(await sync(ben, { heads: { [c]: position + 999 } }), c)).toMatchObject({ limited: true });
    const reset = (
      await ben.post<SyncView>('/api/v1/sync', { epoch: randomUUID(), userRev: 1, heads: { [c]: position } })
    ).body;
    expect(reset).toMatchObject({ reset: true, epoch });
    expect(entry(reset, c)).toMatchObject({ limited: true });
    expect(reset.user.length).toBeGreaterThan(0);
    expect(await ben.get(`/api/v1/conversations/${c}/changes?after=${position + 999}`)).toMatchObject({
      status: 409,
      body: { code: 'ahead_of_server' },
    });
    expect(await ben.get('/api/v1/users/me/changes?after=99999')).toMatchObject({
      status: 409,
      body: { code: 'ahead_of_server' },
    });
  });

  it('names the conversations the caller is no longer in, and shows nothing of them', async () => {
    const [kept, lost] = [await createGroup(ada, [ben]), await createGroup(ada, [ben])];
    const before = await sync(ben, {});
    await ada.delete(`/api/v1/conversations/${lost}/members/${ben.id}`);
    await send(ada, lost, 'without you');
    const foreign = randomUUID();
    const after = await sync(ben, {
      heads: { [kept]: entry(before, kept)?.upTo, [lost]: entry(before, lost)?.upTo, [foreign]: 1 },
    });
    expect(after.gone.toSorted()).toEqual([lost, foreign].toSorted());
    expect(entry(after, lost)).toBeUndefined();
    expect(JSON.stringify(after)).not.toContain('without you');
    expect(await ben.get(`/api/v1/conversations/${lost}/changes?after=0`)).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
  });

  it('takes as many positions as a client may have, by request as by event', async () => {
    const heads = Object.fromEntries(Array.from({ length: 2000 }, () => [randomUUID(), Number.MAX_SAFE_INTEGER]));
    expect((await sync(ben, { heads })).gone).toHaveLength(2000);
    const socket = await connect(ben);
    try {
      expect(await socket.emit('sync', { epoch, heads })).toMatchObject({ ok: true });
    } finally {
      socket.close();
    }
  });

  it('carries the receipts of direct conversations always, and of small ones with their changes', async () => {
    const c = await direct(ada, ben);
    const { seq } = await send(ada, c, 'hi');
    await ben.put(`/api/v1/conversations/${c}/receipts`, { read: seq });
    const position = entry(await sync(ada, {}), c)?.upTo;
    const idle = entry(await sync(ada, { heads: { [c]: position } }), c);
    expect(idle?.changes).toEqual([]);
    expect(idle?.receipts).toContainEqual([ben.id, seq, seq]);
  });

  it('pages over more than a hundred conversations, each of them once', async () => {
    const [busy] = (await registerMany(parley.url, 1)) as [Person];
    const ids = await Promise.all(Array.from({ length: 104 }, () => createGroup(busy, [])));
    const first = await sync(busy, { userRev: 0, limit: 3 });
    expect(first).toMatchObject({ userMore: true, reset: false });
    expect(first.conversations).toHaveLength(100);
    const second = await sync(busy, { userRev: 0, limit: 3, cursor: first.cursor });
    expect(second).toMatchObject({ cursor: null, user: [], userMore: false, gone: [], userRev: first.userRev });
    expect([...first.conversations, ...second.conversations].map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    let position = first.userRev;
    for (let more = true; more;) {
      const page = (
        await busy.get<{ upTo: number; more: boolean; changes: { rev: number }[] }>(
          `/api/v1/users/me/changes?after=${position}&limit=50`,
        )
      ).body;
      for (const { rev } of page.changes) expect(rev).toBeGreaterThan(position);
      [position, more] = [page.upTo, page.more];
    }
    expect(await busy.post('/api/v1/sync', { epoch, cursor: 'nonsense' })).toMatchObject({
      status: 400,
      body: { code: 'invalid_cursor' },
    });
  });

  it('hides from later members what they may not see, without stopping their position', async () => {
    const c = await createGroup(ada, [ben], { settings: { historyForNewMembers: 'none' } });
    const old = await send(ada, c, 'from before');
    await ada.post(`/api/v1/conversations/${c}/members`, { userIds: [eve.id] });
    const position = entry(await sync(eve, {}), c)?.upTo ?? 0;
    await ada.patch(`/api/v1/conversations/${c}/messages/${old.seq}`, { body: 'edited before' });
    const fresh = await send(ada, c, 'after');
    for (const answer of [
      await sync(eve, {}),
      await sync(eve, { heads: { [c]: position } }),
      await changes(eve, c, 0),
    ]) {
      const text = JSON.stringify(answer);
      expect(text).not.toContain('before');
      expect(text).toContain('after');
    }
    expect((await changes(eve, c, position)).upTo).toBe(fresh.rev);
  });

  it('shows each present state exactly once over pages of any size, with position and own side', async () => {
    const c = await createGroup(ada, [ben]);
    for (let i = 0; i < 10; i++) await send(ada, c, `${i}`);
    for (const seq of [3, 5, 3])
      await ada.put(`/api/v1/conversations/${c}/messages/${seq}/reactions/${randomUUID().slice(0, 5)}`);
    const whole = await changes(ben, c, 0);
    expect(whole).toMatchObject({ c, more: false, head: { seq: 11 }, me: { unread: 10 } });
    expect(whole.upTo).toBe(whole.head.rev);
    for (const limit of [1, 2, 3, 7]) {
      const seen: unknown[] = [];
      let after = 0;
      for (let more = true; more;) {
        const page = await changes(ben, c, after, limit);
        expect(page.changes.length).toBeLessThanOrEqual(limit);
        seen.push(...page.changes);
        [after, more] = [page.upTo, page.more];
      }
      expect(seen).toEqual(whole.changes);
    }
  });

  it('tells in one answer what was true at one moment', async () => {
    const c = await createGroup(ada, [ben]);
    const feeds = parley.app.nest.get(Feeds, { strict: false });
    // The last to be asked for the user's feed: between it and the conversations somebody loses his place.
    let removed: number | undefined;
    const interfere: UserReader = async (userId) => {
      if (userId === ben.id && removed === undefined)
        removed = (await ada.delete(`/api/v1/conversations/${c}/members/${ben.id}`)).status;
      return [];
    };
    feeds.userReaders.push(interfere);
    const answer = await sync(ben, { heads: { [c]: 0 } }).finally(() =>
      feeds.userReaders.splice(feeds.userReaders.indexOf(interfere), 1),
    );
    expect(removed).toBe(204);
    const membershipIn = ({ user }: SyncView) =>
      user.findLast(({ t, v }) => t === 'membership' && (v as { conversationId: string }).conversationId === c)?.v;
    expect(membershipIn(answer)).toMatchObject({ state: 'active' });
    expect(entry(answer, c)).toMatchObject({ me: { state: 'active' } });
    expect(answer.gone).toEqual([]);

    const next = await sync(ben, { userRev: answer.userRev, heads: { [c]: 0 } });
    expect(membershipIn(next)).toMatchObject({ state: 'removed' });
    expect(entry(next, c)).toBeUndefined();
    expect(next.gone).toEqual([c]);
  });

  it('keeps the prefix property while others write', async () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    // Mulberry32: small, and the same sequence for the same seed.
    let state = seed;
    const random = (max: number) => {
      state = (state + 0x6d2b79f5) | 0;
      let x = Math.imul(state ^ (state >>> 15), 1 | state);
      x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
      return ((x ^ (x >>> 14)) >>> 0) % max;
    };
    const second = await createTestApp({}, { databaseUrl: parley.databaseUrl });
    try {
      const c = await createGroup(ada, [ben, eve]);
      let writing = true;
      const writers = [ada, ben, acting(ada, second.url), acting(eve, second.url)].map(async (writer) => {
        for (let i = 0; i < 40; i++) {
          const seq = 2 + random(20);
          const path = `/api/v1/conversations/${c}/messages/${seq}`;
          switch (random(5)) {
            case 0:
              await writer.put(`${path}/reactions/r${random(6)}`);
              break;
            case 1:
              await writer.patch(path, { body: `edit ${random(1000)}` });
              break;
            case 2:
              await writer.delete(path);
              break;
            default:
              await send(writer, c, `text ${random(1000)}`);
          }
        }
      });
      void Promise.all(writers).finally(() => (writing = false));
      /** Follows the feed by pages, checking each answer against all that were seen before it. */
      const follow = async (reader: Person, limit: number) => {
        const rows = new Map<string, { rev: number; v: unknown }>();
        let after = 0;
        for (let last = false; ;) {
          const page = await changes(reader, c, after, limit);
          expect(page.upTo).toBeGreaterThanOrEqual(after);
          let previous = after;
          for (const { rev, t, v } of page.changes) {
            // No row shows up at a position that was promised to be complete.
            expect(rev).toBeGreaterThan(previous);
            expect(rev).toBeLessThanOrEqual(page.upTo);
            previous = rev;
            rows.set(`${t} ${(v as { id?: string; userId?: string }).id ?? (v as { userId: string }).userId}`, {
              rev,
              v,
            });
          }
          after = page.upTo;
          if (page.more) continue;
          if (last) return { rows, after };
          last = !writing;
        }
      };
      const [one, two] = await Promise.all([follow(ben, 100), follow(acting(eve, second.url), 3)]);
      await Promise.all(writers);
      const whole = await changes(ben, c, 0);
      const truth: ChangesView['changes'] = [...whole.changes];
      for (let page = whole; page.more;) {
        page = await changes(ben, c, page.upTo);
        truth.push(...page.changes);
      }
      const expected = new Map(
        truth.map(({ rev, t, v }) => [
          `${t} ${(v as { id?: string; userId?: string }).id ?? (v as { userId: string }).userId}`,
          { rev, v },
        ]),
      );
      expect(one.rows).toEqual(expected);
      expect(two.rows).toEqual(expected);
      const dense = await query<{ n: number; last: number; head: number }>(
        'SELECT count(*)::int AS n, max(m.seq)::int AS last, max(h.seq)::int AS head FROM messages m JOIN conversation_head h USING (conversation_id) WHERE conversation_id = $1',
        [c],
        parley.databaseUrl,
      );
      expect(dense[0]?.n).toBe(dense[0]?.last);
      expect(dense[0]?.n).toBe(dense[0]?.head);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    } finally {
      await second.close();
    }
  });

  it('answers the same by socket', async () => {
    const socket = await connect(ben);
    const c = await createGroup(ada, [ben]);
    // The notice that he was added is the last thing that happens by itself.
    type Notice = { t: string; v: { conversationId?: string } };
    await socket.until<Notice>('user.change', ({ t, v }) => t === 'notification' && v.conversationId === c);
    const rest = await sync(ben, { heads: { [c]: 0 } });
    expect(await socket.emit('sync', { epoch, heads: { [c]: 0 } })).toEqual({ ok: true, data: rest });
    expect(await socket.emit('changes', { c, after: 0 })).toEqual({ ok: true, data: await changes(ben, c, 0) });
    expect(await socket.emit('user.changes', { after: 0 })).toEqual({
      ok: true,
      data: (await ben.get('/api/v1/users/me/changes?after=0')).body,
    });
    expect(await socket.emit('changes', { c: randomUUID(), after: 0 })).toMatchObject({
      ok: false,
      error: { code: 'not_found' },
    });
    expect(await socket.emit('changes', { c })).toMatchObject({ ok: false, error: { code: 'validation_failed' } });
    expect(
      await socket.emit('sync', { heads: Object.fromEntries(Array.from({ length: 2001 }, () => [randomUUID(), 1])) }),
    ).toMatchObject({ ok: false, error: { code: 'validation_failed' } });
    socket.close();
  });
});
