import type { Client } from 'pg';
import { refusal, SchemaFixture } from './schema-fixture.js';
import { v7 } from './uuid.js';

const fixture = SchemaFixture.use();

interface Step {
  seqs?: number;
  ords?: number;
  revs?: number;
  deleteSeq?: number;
  /** actor, mark_seq, mark_ord, force */
  actors?: [string, number, number, boolean][];
}

const SQL = 'SELECT * FROM conversation_advance($1, $2, $3, $4, $5, $6, $7, $8, $9)';
const advance = async (conversation: string, step: Step = {}, session: Client = fixture.db) => {
  const { seqs = 1, ords = seqs, revs = seqs, deleteSeq = null, actors = [] } = step;
  const column = <K extends 0 | 1 | 2 | 3>(index: K) => actors.map((actor) => actor[index]);
  const values = [conversation, seqs, ords, revs, deleteSeq, column(0), column(1), column(2), column(3)];
  const { rows } = await session.query<{ seq: string; ord: string; rev: string }>(SQL, values);
  return { seq: Number(rows[0]?.seq), ord: Number(rows[0]?.ord), rev: Number(rows[0]?.rev) };
};

const head = async (conversation: string) => {
  const columns = 'seq::int, ord::int, rev::int, last_delete_seq::int AS "lastDelete"';
  return (await fixture.rows(`SELECT ${columns} FROM conversation_head WHERE conversation_id = $1`, [conversation]))[0];
};

const watermarks = async (conversation: string, user: string) => {
  const columns =
    'read_seq::int AS read, read_ord::int AS ord, delivered_seq::int AS delivered, marked_unread AS marked';
  const where = 'WHERE conversation_id = $1 AND user_id = $2';
  return (await fixture.rows(`SELECT ${columns} FROM memberships ${where}`, [conversation, user]))[0];
};

describe('numbers', () => {
  it('come back as they were before the step', async () => {
    const c = await fixture.conversation();
    expect(await advance(c, { seqs: 3, ords: 2, revs: 4 })).toEqual({ seq: 0, ord: 0, rev: 0 });
    expect(await advance(c, { seqs: 0, ords: 0, revs: 1, deleteSeq: 2 })).toEqual({ seq: 3, ord: 2, rev: 4 });
    expect(await advance(c, { seqs: 0, ords: 0, revs: 0, deleteSeq: 1 })).toEqual({ seq: 3, ord: 2, rev: 5 });
    expect(await head(c)).toEqual({ seq: 3, ord: 2, rev: 5, lastDelete: 2 });
  });

  it('note the transaction that moved them', async () => {
    const c = await fixture.conversation();
    const [before] = await fixture.rows('SELECT pg_current_xact_id()::text AS xid');
    await advance(c);
    const [after] = await fixture.rows(
      'SELECT updated_xid::text AS xid FROM conversation_head WHERE conversation_id = $1',
      [c],
    );
    expect(BigInt((after as { xid: string }).xid)).toBeGreaterThan(BigInt((before as { xid: string }).xid));
  });

  it('are dense when many sessions send at once, in one statement each', async () => {
    const [sessions, each, batch] = [12, 20, 3];
    const users = await fixture.users(sessions);
    const c = await fixture.conversation(...users);
    const send = `WITH h AS MATERIALIZED (SELECT * FROM ${SQL.slice('SELECT * FROM '.length)})
      INSERT INTO messages (conversation_id, seq, rev, ord, id, sender_id, body)
      SELECT $1, h.seq + i.n, h.rev + i.n, h.ord + i.n, i.id, $10, 'x' FROM h, unnest($11::int[], $12::uuid[]) AS i (n, id)`;
    await Promise.all(
      users.map(async (user) => {
        const session = await fixture.session();
        for (let i = 0; i < each; i++) {
          const rows = Array.from({ length: batch }, (_, n) => n + 1);
          const values = [
            c,
            batch,
            batch,
            batch,
            null,
            [user],
            [batch],
            [batch],
            [true],
            user,
            rows,
            rows.map(() => v7()),
          ];
          await session.query({ name: 'send', text: send, values });
        }
      }),
    );
    const total = sessions * each * batch;
    expect(await head(c)).toMatchObject({ seq: total, ord: total, rev: total });
    const dense =
      'SELECT count(*)::int AS n, min(seq)::int AS first, max(seq)::int AS last FROM messages WHERE conversation_id = $1';
    expect(await fixture.rows(dense, [c])).toEqual([{ n: total, first: 1, last: total }]);
    // Everyone has read up to the last row of the last own batch.
    const behind = `SELECT user_id FROM memberships AS m WHERE conversation_id = $1 AND read_seq <>
      (SELECT max(seq) FROM messages WHERE conversation_id = m.conversation_id AND sender_id = m.user_id)`;
    expect(await fixture.rows(behind, [c])).toEqual([]);
  });

  it('are not lost by a step that is rolled back', async () => {
    const c = await fixture.conversation();
    const session = await fixture.session();
    await session.query('BEGIN');
    await advance(c, {}, session);
    await session.query('ROLLBACK');
    expect(await advance(c)).toEqual({ seq: 0, ord: 0, rev: 0 });
  });
});

describe('refusal', () => {
  it('PA404 for a conversation that is not or no longer there, and draws nothing', async () => {
    expect(await refusal(advance(v7()))).toBe('PA404');
    const c = await fixture.conversation();
    await fixture.db.query('UPDATE conversations SET deleted_at = now() WHERE id = $1', [c]);
    expect(await refusal(advance(c))).toBe('PA404');
    expect(await head(c)).toMatchObject({ seq: 0, rev: 0 });
  });

  it('PA403 if any actor is not an active member, and draws nothing', async () => {
    const [member, former, stranger] = [await fixture.user(), await fixture.user(), await fixture.user()];
    const c = await fixture.conversation(member, former);
    await fixture.db.query(`UPDATE memberships SET state = 'left' WHERE user_id = $1`, [former]);
    for (const user of [former, stranger]) {
      for (const force of [true, false]) {
        for (const mark of [0, 1]) {
          expect(await refusal(advance(c, { actors: [[user, mark, mark, force]] }))).toBe('PA403');
          expect(
            await refusal(
              advance(c, {
                actors: [
                  [member, 1, 1, true],
                  [user, mark, mark, force],
                ],
              }),
            ),
          ).toBe('PA403');
        }
      }
    }
    expect(await head(c)).toMatchObject({ seq: 0, rev: 0 });
    expect(await watermarks(c, member)).toMatchObject({ read: 0 });
  });

  it.each([
    ['removed', `UPDATE memberships SET state = 'removed' WHERE conversation_id = $1`, 'PA403'],
    ['deleted', 'UPDATE conversations SET deleted_at = now() WHERE id = $1', 'PA404'],
  ])('sees what the step before it has %s, though it began earlier', async (_, sql, code) => {
    const user = await fixture.user();
    const c = await fixture.conversation(user);
    const [first, second] = [await fixture.session(), await fixture.session()];
    await first.query('BEGIN');
    await advance(c, { seqs: 0, revs: 1 }, first);
    const waiting = refusal(advance(c, { actors: [[user, 1, 1, true]] }, second));
    await fixture.waitsForLock(second);
    await first.query(sql, [c]);
    await first.query('COMMIT');
    expect(await waiting).toBe(code);
    expect(await head(c)).toMatchObject({ seq: 0, rev: 1 });
  });
});

describe('watermarks of the actor', () => {
  const setUp = async () => {
    const [me, other] = [await fixture.user(), await fixture.user()];
    return { me, other, c: await fixture.conversation(me, other) };
  };

  it('move to the offset when forced, over what was unread', async () => {
    const { c, me, other } = await setUp();
    await advance(c, { seqs: 2, ords: 1, actors: [[other, 2, 1, true]] });
    await advance(c, { actors: [[me, 1, 1, true]] });
    expect(await watermarks(c, me)).toEqual({ read: 3, ord: 2, delivered: 3, marked: false });
    expect(await watermarks(c, other)).toEqual({ read: 2, ord: 1, delivered: 2, marked: false });
  });

  it('move unforced only if nothing was unread', async () => {
    const { c, me, other } = await setUp();
    await advance(c, { actors: [[me, 1, 1, false]] });
    expect(await watermarks(c, me)).toMatchObject({ read: 1, ord: 1 });
    await advance(c, { seqs: 1, ords: 0, actors: [[other, 0, 0, true]] }); // silent: nothing to read
    await advance(c, { actors: [[me, 1, 1, false]] });
    expect(await watermarks(c, me)).toMatchObject({ read: 3, ord: 2 });
    await advance(c, { actors: [[other, 1, 1, true]] });
    await advance(c, { actors: [[me, 1, 1, false]] });
    expect(await watermarks(c, me)).toMatchObject({ read: 3, ord: 2 });
  });

  it('stay at mark 0, and so does the mark "unread"; reading clears it', async () => {
    const { c, me } = await setUp();
    await fixture.db.query('UPDATE memberships SET marked_unread = true WHERE user_id = $1', [me]);
    await advance(c, { actors: [[me, 0, 0, true]] });
    expect(await watermarks(c, me)).toEqual({ read: 0, ord: 0, delivered: 0, marked: true });
    await advance(c, { actors: [[me, 1, 1, true]] });
    expect(await watermarks(c, me)).toEqual({ read: 2, ord: 2, delivered: 2, marked: false });
  });

  it('take the furthest entry of a repeated actor, unforced ones judged before the step', async () => {
    const { c, me, other } = await setUp();
    await advance(c, {
      seqs: 3,
      actors: [
        [me, 1, 1, true],
        [other, 0, 0, true],
        [me, 3, 3, false],
      ],
    });
    expect(await watermarks(c, me)).toMatchObject({ read: 3, ord: 3 });
    await advance(c, { actors: [[other, 1, 1, true]] });
    await advance(c, {
      seqs: 3,
      actors: [
        [me, 3, 3, false],
        [me, 1, 1, true],
      ],
    });
    expect(await watermarks(c, me)).toMatchObject({ read: 5, ord: 5 });
  });

  it('never deadlock with receipts, whatever the order of the arrays', async () => {
    const users = [await fixture.user(), await fixture.user(), await fixture.user()];
    const conversations = [await fixture.conversation(...users), await fixture.conversation(...users)];
    const mark = 'SELECT * FROM membership_mark($1, $2, $3, $4, $5, $6)';
    const pairs = conversations.flatMap((c) => users.map((user) => [c, user] as const));
    const work = Array.from({ length: 8 }, async (_, worker) => {
      const session = await fixture.session();
      const turned = worker % 2 ? pairs : pairs.toReversed();
      for (let i = 0; i < 40; i++) {
        const actors = turned.slice(0, 3).map(([, user]) => [user, 1, 1, true] as [string, number, number, boolean]);
        if (worker < 4) await advance(conversations[i % 2] ?? '', { actors }, session);
        else {
          const none = turned.map(() => null);
          const ones = turned.map(() => i);
          await session.query(mark, [turned.map(([c]) => c), turned.map(([, user]) => user), ones, none, none, none]);
        }
      }
    });
    await Promise.all(work);
    expect(await head(conversations[0] ?? '')).toMatchObject({ seq: 80 });
  });
});
