import { randomUUID } from 'node:crypto';
import { createTestApp, type TestApp } from '../../support/app.js';
import { query } from '../../support/database.js';
import { HttpClient } from '../../support/http-client.js';
import { type Connection, connect, type Person, registerMany } from '../../support/people.js';
import { addMembers, conversations, feedOf, removeMember, room, setRole, upTo } from './support.js';

let app: TestApp;
let second: TestApp;
let people: Person[];
let watcher: Person;
beforeAll(async () => {
  app = await createTestApp();
  second = await createTestApp({}, { databaseUrl: app.databaseUrl });
  [watcher, ...people] = (await registerMany(app.url, 7)) as [Person, ...Person[]];
});
afterAll(async () => {
  await second.close();
  await app.close();
});

/** A fixed sequence that looks random (Lehmer 1951), so that a failure comes again. */
const dice = (seed: number) => (sides: number) => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed % sides;
};

it('everything at once on two replicas: no deadlock, no hole, no doubled rev, one unbroken chain', async () => {
  const roll = dice(20_261_121);
  const ids: string[] = [];
  for (const title of ['a', 'b', 'c']) {
    const { id } = await room([watcher, ...people], { title });
    for (const { id: userId } of people.slice(0, 3)) await setRole(watcher, id, userId, 'owner');
    ids.push(id);
  }
  const device = await connect(watcher);

  const acts: ((who: HttpClient, whom: string, id: string) => Promise<{ status: number }>)[] = [
    (who, whom, id) => addMembers(who, id, [whom]),
    (who, _, id) =>
      addMembers(
        who,
        id,
        people.map(({ id: userId }) => userId),
      ),
    (who, whom, id) => removeMember(who, id, whom),
    (who, _, id) => removeMember(who, id, 'me'),
    (who, whom, id) => setRole(who, id, whom, (['admin', 'member', 'owner'] as const)[roll(3)] ?? 'member'),
    (who, _, id) => who.patch(`${conversations}/${id}`, { title: randomUUID() }, { 'if-match': '*' }),
    (who, _, id) => who.patch(`${conversations}/${id}/me`, { pinned: roll(2) === 0, archived: roll(2) === 0 }),
    (who, _, id) => who.put(`${conversations}/${id}/receipts`, { read: roll(200) }),
    (who, _, id) => who.put(`${conversations}/${id}/draft`, { body: 'x' }),
    (who, _, id) => who.post(`${conversations}/${id}/messages`, { clientId: randomUUID(), body: 'x' }),
  ];
  const pick = <Item>(list: readonly Item[]): Item => list[roll(list.length)] as Item;
  const one = () => {
    const { url, accessToken } = { url: pick([app, second]).url, accessToken: pick(people).accessToken };
    return pick(acts)(new HttpClient(url, accessToken), pick(people).id, pick(ids));
  };
  const seen = new Set<number>();
  await Promise.all(
    upTo(12).map(async () => {
      for (let i = 0; i < 40; i++) seen.add((await one()).status);
    }),
  );
  expect([...seen].filter((status) => status >= 500)).toEqual([]);
  expect([...seen]).toEqual(expect.arrayContaining([200, 201, 204, 403, 404]));

  for (const id of ids) {
    const { body } = await watcher.post<{ message: { rev: number } }>(`${conversations}/${id}/messages`, {
      clientId: randomUUID(),
      body: 'end',
    });
    const { head, revs } = await feedOf(app.databaseUrl, id);
    expect([head, revs.at(-1), new Set(revs).size]).toEqual([body.message.rev, head, revs.length]);
    await device.until<{ c: string; rev: number }>('change', ({ c, rev }) => c === id && rev === head);
    expectChained(device, id);
  }
  device.close();
  await expectSound();
});

const expectChained = ({ events }: Connection, id: string) => {
  const changes = events.flatMap(({ event, payload }) => {
    const change = payload as { c: string; rev: number; from: number };
    return event === 'change' && change.c === id ? [change] : [];
  });
  for (const [i, { from }] of changes.slice(1).entries()) expect(from).toBe(changes[i]?.rev);
};

/** Protocol, I4 and I10; and nobody had to be freed from a deadlock. */
const expectSound = async () => {
  const holes = await query(
    `SELECT h.conversation_id FROM conversation_head AS h
     WHERE h.seq <> (SELECT count(*) FROM messages AS m WHERE m.conversation_id = h.conversation_id AND m.seq BETWEEN 1 AND h.seq)`,
    [],
    app.databaseUrl,
  );
  const wrong = await query(
    `SELECT FROM memberships AS m JOIN conversation_head AS h USING (conversation_id)
     WHERE NOT (0 <= m.read_seq AND m.read_seq <= m.delivered_seq AND m.delivered_seq <= h.seq AND m.read_ord <= h.ord)`,
    [],
    app.databaseUrl,
  );
  const [statistics] = await query<{ deadlocks: string }>(
    'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    [],
    app.databaseUrl,
  );
  expect([holes, wrong, statistics?.deadlocks]).toEqual([[], [], '0']);
};
