import type { Client } from 'pg';
import { SchemaFixture } from './schema-fixture.js';

const fixture = SchemaFixture.use();

interface Receipt {
  c: string;
  user: string;
  delivered?: number;
  read?: number;
  ord?: number;
  foreground?: number;
}

const SQL = `SELECT user_id, delivered_seq::int AS delivered, read_seq::int AS read, read_ord::int AS ord,
  foreground_seq::int AS foreground, moved FROM membership_mark($1, $2, $3, $4, $5, $6)`;
const mark = async (receipts: Receipt[], session: Client = fixture.db) => {
  const column = (key: keyof Receipt) => receipts.map((receipt) => receipt[key] ?? null);
  const values = [
    column('c'),
    column('user'),
    column('delivered'),
    column('read'),
    column('ord'),
    column('foreground'),
  ];
  return (await session.query({ name: 'mark', text: SQL, values })).rows;
};

/** A conversation of those members in which ten rows exist, seven of them counting. */
const setUp = async (members = 1) => {
  const users = await fixture.users(members);
  const c = await fixture.conversation(...users);
  await fixture.db.query('UPDATE conversation_head SET seq = 10, ord = 7, rev = 10 WHERE conversation_id = $1', [c]);
  return { c, users, user: users[0] ?? '' };
};

it('merges: nothing falls, read raises delivered, and the answer tells what moved', async () => {
  const { c, user } = await setUp();
  const at = (delivered: number, read: number, ord: number, foreground: number, moved: boolean) => [
    { user_id: user, delivered, read, ord, foreground, moved },
  ];
  expect(await mark([{ c, user, delivered: 3 }])).toEqual(at(3, 0, 0, 0, true));
  expect(await mark([{ c, user, read: 5, ord: 4 }])).toEqual(at(5, 5, 4, 0, true));
  expect(await mark([{ c, user, delivered: 2, read: 4, ord: 3 }])).toEqual(at(5, 5, 4, 0, false));
  expect(await mark([{ c, user, delivered: 8, foreground: 6 }])).toEqual(at(8, 5, 4, 6, true));
});

it('clamps what is above the head', async () => {
  const { c, user } = await setUp();
  const [row] = await mark([{ c, user, delivered: 99, read: 50, ord: 49, foreground: 1000 }]);
  expect(row).toMatchObject({ delivered: 10, read: 10, ord: 7, foreground: 10 });
});

it('takes the furthest of several receipts for one membership', async () => {
  const { c, user } = await setUp();
  const rows = await mark([
    { c, user, read: 6, ord: 5 },
    { c, user, delivered: 9 },
    { c, user, read: 2, ord: 1 },
  ]);
  expect(rows).toEqual([{ user_id: user, delivered: 9, read: 6, ord: 5, foreground: 0, moved: true }]);
});

it('clears "marked unread" by any read, and only by a read', async () => {
  const { c, user } = await setUp();
  const marked = async () =>
    (await fixture.rows('SELECT marked_unread FROM memberships WHERE user_id = $1', [user]))[0];
  await mark([{ c, user, read: 4, ord: 3 }]);
  await fixture.db.query('UPDATE memberships SET marked_unread = true WHERE user_id = $1', [user]);
  await mark([{ c, user, delivered: 9 }]);
  expect(await marked()).toEqual({ marked_unread: true });
  expect(await mark([{ c, user, read: 4, ord: 3 }])).toMatchObject([{ read: 4, moved: true }]);
  expect(await marked()).toEqual({ marked_unread: false });
});

it('passes over former members and strangers, and draws no rev', async () => {
  const { c, users } = await setUp(2);
  const [stranger] = await fixture.users(1);
  const [member = '', former = ''] = users;
  await fixture.db.query(`UPDATE memberships SET state = 'removed' WHERE user_id = $1`, [former]);
  const rows = await mark([former, stranger ?? '', member].map((user) => ({ c, user, read: 3, ord: 2 })));
  expect(rows).toMatchObject([{ user_id: member, read: 3 }]);
  const heads = await fixture.rows('SELECT rev::int FROM conversation_head WHERE conversation_id = $1', [c]);
  expect(heads).toEqual([{ rev: 10 }]);
});

it('waits for a concurrent merge and keeps the higher of the two', async () => {
  const { c, user } = await setUp();
  const [first, second] = [await fixture.session(), await fixture.session()];
  await first.query('BEGIN');
  await mark([{ c, user, read: 8, ord: 6 }], first);
  const later = mark([{ c, user, read: 5, ord: 4, delivered: 9 }], second);
  await fixture.waitsForLock(second);
  await first.query('COMMIT');
  expect(await later).toEqual([{ user_id: user, delivered: 9, read: 8, ord: 6, foreground: 0, moved: true }]);
});
