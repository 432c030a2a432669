import type { Client } from 'pg';
import { SchemaFixture } from './schema-fixture.js';
import { v7 } from './uuid.js';

const fixture = SchemaFixture.use();

/** Sends of members in conversations, each of so many messages. */
type Sends = [conversation: string, members: string[], messages?: number][];

/** Answers the heads before the step, by the place of the conversation. */
async function advance(sends: Sends, session: Client = fixture.db): Promise<(number | undefined)[]> {
  const counts = sends.map(([, , messages = 1]) => messages);
  const marks = sends.flatMap(([c, members, messages = 1]) =>
    members.map((member) => [c, member, members.length, messages] as const),
  );
  const column = <K extends 0 | 1 | 2 | 3>(index: K) => marks.map((mark) => mark[index]);
  const { rows } = await session.query<{ conversation_id: string; seq: string }>(
    'SELECT * FROM conversation_advance_free($1, $2, $2, $2, $3, $4, $5, $6, $6)',
    [sends.map(([c]) => c), counts, column(2), column(0), column(1), column(3)],
  );
  const heads = new Map(rows.map((row) => [row.conversation_id, Number(row.seq)]));
  return sends.map(([c]) => heads.get(c));
}
const headOf = async (c: string) =>
  (await fixture.rows('SELECT seq::int, ord::int, rev::int FROM conversation_head WHERE conversation_id = $1', [c]))[0];
const readOf = async (c: string, user: string) =>
  (
    await fixture.rows(
      'SELECT read_seq::int AS read, delivered_seq::int AS delivered, marked_unread AS marked FROM memberships WHERE conversation_id = $1 AND user_id = $2',
      [c, user],
    )
  )[0];
const set = (c: string, settings: object) =>
  fixture.db.query('UPDATE conversations SET settings = $2 WHERE id = $1', [c, settings]);

describe('conversation_advance_free', () => {
  it('draws numbers in many conversations and moves their senders', async () => {
    const [ann, ben] = [await fixture.user(), await fixture.user()];
    const [one, two] = [await fixture.conversation(ann, ben), await fixture.conversation(ann, ben)];
    await fixture.db.query('UPDATE memberships SET marked_unread = true WHERE conversation_id = $1', [one]);
    expect(
      await advance([
        [one, [ann]],
        [two, [ann, ben], 3],
      ]),
    ).toEqual([0, 0]);
    expect(
      await advance([
        [two, [ben]],
        [one, [ann], 2],
      ]),
    ).toEqual([3, 1]);
    expect([await headOf(one), await headOf(two)]).toEqual([
      { seq: 3, ord: 3, rev: 3 },
      { seq: 4, ord: 4, rev: 4 },
    ]);
    expect(await readOf(one, ann)).toEqual({ read: 3, delivered: 3, marked: false });
    expect(await readOf(one, ben)).toEqual({ read: 0, delivered: 0, marked: true });
    expect(await readOf(two, ann)).toMatchObject({ read: 3 });
    expect(await readOf(two, ben)).toMatchObject({ read: 4 });
  });

  it('passes over what it may not just do, and leaves it as it was', async () => {
    const [ann, ben, stranger] = [await fixture.user(), await fixture.user(), await fixture.user()];
    const rooms: Record<string, string> = {};
    for (const name of ['free', 'foreign', 'left', 'deleted', 'admins', 'slow'])
      rooms[name] = await fixture.conversation(ann, ben);
    const room = (name: string) => rooms[name] ?? '';
    await fixture.db.query(`UPDATE memberships SET state = 'left' WHERE conversation_id = $1 AND user_id = $2`, [
      room('left'),
      ben,
    ]);
    await fixture.db.query('UPDATE conversations SET deleted_at = now() WHERE id = $1', [room('deleted')]);
    await set(room('admins'), { whoCanPost: 'admin', slowModeSec: 0 });
    await set(room('slow'), { whoCanPost: 'member', slowModeSec: 5 });
    const sends: Sends = [
      [room('foreign'), [ann, stranger]],
      [room('left'), [ben]],
      [room('deleted'), [ann]],
      [room('admins'), [ann]],
      [room('slow'), [ann]],
      [v7(), [ann]],
      [room('free'), [ann]],
    ];
    expect(await advance(sends)).toEqual([...Array.from({ length: 6 }, () => undefined), 0]);
    for (const [c, [member]] of sends.slice(0, 5)) {
      expect(await headOf(c)).toEqual({ seq: 0, ord: 0, rev: 0 });
      expect(await readOf(c, member ?? '')).toMatchObject({ read: 0 });
    }
    await fixture.db.query(`UPDATE memberships SET role = 'admin' WHERE user_id = $1`, [ann]);
    expect(
      await advance(
        [
          [room('admins'), [ann]],
          [room('slow'), [ann]],
          [room('slow'), [ben]],
        ].slice(0, 2) as Sends,
      ),
    ).toEqual([0, 0]);
  });

  it('passes over a direct conversation while either has blocked the other', async () => {
    const pairs: [string, string, string][] = [];
    for (let i = 0; i < 3; i++) {
      const [a, b] = (await fixture.users(2)).toSorted() as [string, string];
      const c = await fixture.conversation(a, b);
      await fixture.db.query(`UPDATE conversations SET type = 'direct', direct_key = $2 WHERE id = $1`, [
        c,
        `${a}:${b}`,
      ]);
      pairs.push([c, a, b]);
    }
    const block = (owner = '', target = '', gone = false) =>
      fixture.db.query('INSERT INTO user_blocks (owner_id, target_id, rev, deleted_at) VALUES ($1, $2, 1, $3)', [
        owner,
        target,
        gone ? new Date() : null,
      ]);
    await block(pairs[0]?.[1], pairs[0]?.[2]);
    await block(pairs[1]?.[2], pairs[1]?.[1]);
    await block(pairs[2]?.[2], pairs[2]?.[1], true);
    expect(await advance(pairs.map(([c, a]) => [c, [a]]))).toEqual([undefined, undefined, 0]);
  });

  it.each([
    ['head', 'SELECT FROM conversation_head WHERE conversation_id = $1 FOR UPDATE'],
    ['membership', 'SELECT FROM memberships WHERE conversation_id = $1 FOR UPDATE'],
  ])('waits for no %s that somebody holds', async (_, lock) => {
    const ann = await fixture.user();
    const [held, free] = [await fixture.conversation(ann), await fixture.conversation(ann)];
    const holder = await fixture.session();
    await holder.query('BEGIN');
    await holder.query(lock, [held]);
    expect(
      await advance([
        [held, [ann]],
        [free, [ann]],
      ]),
    ).toEqual([undefined, 0]);
    await holder.query('ROLLBACK');
    expect(
      await advance([
        [held, [ann]],
        [free, [ann]],
      ]),
    ).toEqual([0, 1]);
  });

  it('sees what happened before it got the head, though it began earlier', async () => {
    // A removal needs the head; the function that had to skip it is asked again later, and by then sees it.
    const ann = await fixture.user();
    const c = await fixture.conversation(ann);
    const session = await fixture.session();
    await session.query('BEGIN ISOLATION LEVEL READ COMMITTED');
    await session.query('SELECT 1');
    await fixture.db.query(`UPDATE memberships SET state = 'removed' WHERE conversation_id = $1`, [c]);
    expect(await advance([[c, [ann]]], session)).toEqual([undefined]);
    await session.query('ROLLBACK');
  });

  it('never deadlocks with itself, with single steps or with receipts', async () => {
    const users = await fixture.users(3);
    const rooms = [
      await fixture.conversation(...users),
      await fixture.conversation(...users),
      await fixture.conversation(...users),
    ];
    const single = 'SELECT * FROM conversation_advance($1, 1, 1, 1, NULL, $2, $3, $3, $4)';
    const mark = 'SELECT * FROM membership_mark($1, $2, $3, $4, $4, $4)';
    let drawn = 0;
    const work = Array.from({ length: 9 }, async (_, worker) => {
      const session = await fixture.session();
      const own = worker % 2 ? rooms : rooms.toReversed();
      for (let i = 0; i < 30; i++) {
        if (worker < 4) {
          const heads = await advance(
            own.map((c) => [c, users.slice(0, 1 + (i % 3))]),
            session,
          );
          drawn += heads.filter((head) => head !== undefined).length;
        } else if (worker < 7) {
          await session.query(single, [own[i % 3], users, users.map(() => 1), users.map(() => true)]);
          drawn += 1;
        } else {
          const pairs = own.flatMap((c) => users.map((user) => [c, user]));
          await session.query(mark, [
            pairs.map(([c]) => c),
            pairs.map(([, user]) => user),
            pairs.map(() => i),
            pairs.map(() => null),
          ]);
        }
      }
    });
    await Promise.all(work);
    const [sum] = await fixture.rows<{ n: number }>(
      'SELECT sum(seq)::int AS n FROM conversation_head WHERE conversation_id = ANY ($1)',
      [rooms],
    );
    expect(sum?.n).toBe(drawn);
  });
});

describe('message_pace', () => {
  const pace = (c: string, senders: string[], pauseMs: number) =>
    fixture.refusal('SELECT message_pace($1, $2, $3)', [c, senders, senders.map(() => pauseMs)]);

  it('refuses the sender who wrote a moment ago, and one who writes twice at once', async () => {
    const [ann, ben] = [await fixture.user(), await fixture.user()];
    const c = await fixture.conversation(ann, ben);
    expect(await pace(c, [ann], 60_000)).toBeUndefined();
    await fixture.db.query(
      `INSERT INTO messages (conversation_id, seq, rev, ord, id, sender_id, body, created_at) VALUES ($1, 1, 1, 1, $2, $3, 'x', now() - interval '30 s')`,
      [c, v7(), ann],
    );
    expect(await pace(c, [ann], 60_000)).toBe('PA429');
    expect(await pace(c, [ann], 20_000)).toBeUndefined();
    expect(await pace(c, [ben], 60_000)).toBeUndefined();
    expect(await pace(c, [ben, ben], 60_000)).toBe('PA429');
  });
});
