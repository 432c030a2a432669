import { refusal, SchemaFixture } from './schema-fixture.js';
import { v7 } from './uuid.js';

const fixture = SchemaFixture.use();

describe('user_advance', () => {
  const advance = async (user: string, revs: number) =>
    (await fixture.rows<{ rev: string }>('SELECT user_advance($1, $2) AS rev', [user, revs]))[0]?.rev;

  it('answers the rev before the step; PA404 for a user that is not there', async () => {
    const user = await fixture.user();
    expect([await advance(user, 2), await advance(user, 1), await advance(user, 0)]).toEqual(['0', '2', '3']);
    expect(await refusal(advance(v7(), 1))).toBe('PA404');
  });

  it('many: once each, in user order, so opposite lists never deadlock', async () => {
    const users = await fixture.users(5);
    const sql = 'SELECT user_id, rev_before::int AS rev FROM user_advance_many($1, 1) ORDER BY user_id';
    const twice = [...users, ...users, v7()];
    expect(await fixture.rows(sql, [twice])).toEqual(users.map((user) => ({ user_id: user, rev: 0 })));
    const lists = [users, users.toReversed()];
    await Promise.all(
      lists.map(async (list) => {
        const session = await fixture.session();
        for (let i = 0; i < 50; i++) await session.query(sql, [list]);
      }),
    );
    expect(await fixture.rows(sql, [users])).toEqual(users.map((user) => ({ user_id: user, rev: 101 })));
  });
});

describe('outbox_append', () => {
  it('writes a fact that is due at once, for a text and for a uuid key', async () => {
    const key = v7();
    const sql = `SELECT outbox_append('message.created', $1::uuid, '{"id":1}') AS a, outbox_append('job', 'key', '{}') AS b`;
    const [ids] = await fixture.rows<{ a: string; b: string }>(sql, [key]);
    const stored =
      'SELECT topic, key, payload, attempts, next_at <= now() AS due FROM outbox WHERE id = ANY ($1) ORDER BY id';
    expect(await fixture.rows(stored, [[ids?.a, ids?.b]])).toEqual([
      { topic: 'message.created', key, payload: { id: 1 }, attempts: 0, due: true },
      { topic: 'job', key: 'key', payload: {}, attempts: 0, due: true },
    ]);
  });
});

describe('media_bind', () => {
  const upload = async (owner: string, state = 'uploaded') => {
    const id = v7();
    await fixture.db.query(
      `INSERT INTO media_objects (id, owner_id, purpose, name, mime_claimed, size, storage_key, driver, state)
       VALUES ($1::uuid, $2, 'attachment', 'a', 'image/png', 1, $1::text, 'disk', $3::media_state)`,
      [id, owner, state],
    );
    return id;
  };
  const bind = async (owner: string | null, ids: string[]) =>
    (await fixture.rows<{ n: number }>('SELECT media_bind($1, $2) AS n', [owner, ids]))[0]?.n;

  it('binds own usable objects; again is harmless and keeps the first time', async () => {
    const owner = await fixture.user();
    const ids = [await upload(owner), await upload(owner, 'processing'), await upload(owner, 'ready')];
    const times = () => fixture.rows('SELECT bound_at FROM media_objects WHERE id = ANY ($1) ORDER BY id', [ids]);
    expect(await bind(owner, ids)).toBe(3);
    const before = await times();
    expect(before).not.toContainEqual({ bound_at: null });
    expect(await bind(owner, ids.toReversed())).toBe(3);
    expect(await times()).toEqual(before);
    expect(await bind(owner, [])).toBe(0);
  });

  it('refuses all with PA422 if one is missing, foreign or not usable, and names it', async () => {
    const [owner = '', other = ''] = await fixture.users(2);
    const good = await upload(owner);
    const states = ['pending', 'rejected', 'quarantined', 'deleted'];
    const bad = [v7(), await upload(other)];
    for (const state of states) bad.push(await upload(owner, state));
    for (const id of bad) {
      await expect(bind(owner, [good, id])).rejects.toMatchObject({ code: 'PA422', detail: id });
    }
    expect(await fixture.rows('SELECT bound_at FROM media_objects WHERE id = $1', [good])).toEqual([
      { bound_at: null },
    ]);
  });

  it('asks for no owner when forwarding', async () => {
    const id = await upload(await fixture.user());
    expect(await bind(null, [id])).toBe(1);
  });
});

describe('migration_history', () => {
  it('is empty without the history table and follows it when it comes and goes', async () => {
    const rows = () => fixture.rows('SELECT name, state FROM migration_history');
    expect(await rows()).toEqual([]);
    await fixture.db.query(`CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL,
      finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
      started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)`);
    await fixture.db.query(`INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, rolled_back_at)
      VALUES ('1', 'c', 'a', now(), NULL), ('2', 'c', 'b', NULL, NULL), ('3', 'c', 'c', NULL, now())`);
    expect(await rows()).toEqual([
      { name: 'a', state: 'applied' },
      { name: 'b', state: 'failed' },
      { name: 'c', state: 'rolled_back' },
    ]);
    await fixture.db.query('DROP TABLE _prisma_migrations');
    expect(await rows()).toEqual([]);
  });
});
