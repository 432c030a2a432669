import { repair } from '../../../src/platform/database/lifecycle/repair.js';
import type { RepairReport } from '../../../src/platform/database/lifecycle/repair.js';
import { readLiveObjects } from '../../../src/platform/database/lifecycle/manifest-read.js';
import { compareObjects } from '../../../src/platform/database/lifecycle/manifest-compare.js';
import { createSample, liveFingerprint } from './sample-schema.js';
import type { Sample } from './sample-schema.js';

const ROWS = `
  INSERT INTO users (id, handle, email) SELECT gen_random_uuid(), 'h' || n, n || '@example.org' FROM generate_series(1, 10) n;
  INSERT INTO posts (user_id, seq, body) SELECT id, number, 'text' FROM users`;
const COUNTS = `SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM posts) AS posts`;

describe('repair of a schema that holds data', () => {
  let sample: Sample;
  let whole: string;
  beforeEach(async () => {
    sample = await createSample();
    whole = await liveFingerprint(sample.client);
    await sample.client.query(ROWS);
  });
  afterEach(() => sample.drop());

  const heal = (): Promise<RepairReport> =>
    repair(sample.client, sample.manifest, { schema: 'public', audit: () => Promise.resolve() });
  const sql = async (text: string): Promise<unknown[]> => (await sample.client.query<object>(text)).rows;

  /** Damage that repair undoes wholly, rows untouched. */
  it.each([
    ['nullable column', `ALTER TABLE posts DROP body CASCADE`],
    ['column with a constant default', `ALTER TABLE users DROP tags`],
    ['generated column', `ALTER TABLE users DROP words`],
    ['column default', `ALTER TABLE users ALTER role DROP DEFAULT`],
    ['enum value in the middle', `ALTER TYPE "Role" RENAME VALUE 'admin' TO 'chief'`, 'chief'],
    ['sequence and its default', `DROP SEQUENCE users_number_seq CASCADE`],
    ['owner of a sequence', `ALTER SEQUENCE users_number_seq OWNED BY NONE`],
    ['primary key and what refers to it', `ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE`],
    ['unique constraint', `ALTER TABLE users DROP CONSTRAINT users_handle_key`],
    ['unique index', `DROP INDEX users_email_key`],
    ['index', `DROP INDEX users_words_idx, users_handle_trgm`],
    ['invalid index', `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_email_key'::regclass`],
    ['foreign key', `ALTER TABLE posts DROP CONSTRAINT posts_user_id_fkey`],
    ['check', `ALTER TABLE users DROP CONSTRAINT users_number_check`],
    [
      'check that was never validated',
      `ALTER TABLE users DROP CONSTRAINT users_number_check,
         ADD CONSTRAINT users_number_check CHECK (number > 0 AND role <> 'owner') NOT VALID`,
    ],
    ['function and its trigger', `DROP FUNCTION touch() CASCADE`],
    ['view', `DROP VIEW bodies`],
    ['extension and its indexes', `DROP EXTENSION pg_trgm CASCADE`],
  ])('brings back a %s', async (_, damage, extraLabel = '') => {
    await sql(damage);
    const report = await heal();
    expect(report.refused).toEqual([]);
    expect(report.executed).toBeGreaterThan(0);
    if (extraLabel === '') expect(await liveFingerprint(sample.client)).toBe(whole);
    const live = await readLiveObjects(sample.client, 'public');
    expect(compareObjects(sample.manifest.objects, live, { drift: 'strict' }).fatal).toEqual([]);
    expect(await sql(COUNTS)).toEqual([{ users: 10, posts: 10 }]);
    expect((await heal()).executed).toBe(0);
  });

  it('creates a dropped table again, in the old column order, and names it for its seeds', async () => {
    const columns = `SELECT string_agg(attname, ',' ORDER BY attnum) AS names FROM pg_attribute
      WHERE attrelid = 'posts'::regclass AND attnum > 0 AND NOT attisdropped`;
    const before = await sql(columns);
    await sql(`DROP TABLE posts CASCADE`);
    const report = await heal();
    expect(report.createdTables).toEqual(['posts']);
    // Neither restricts less than before without being said.
    expect(report.refused.map(({ object }) => object).toSorted()).toEqual([
      'exclusion posts.posts_span_excl',
      'row security posts',
    ]);
    expect(await sql(columns)).toEqual(before);
    expect(await sql(`SELECT reloptions FROM pg_class WHERE oid = 'posts'::regclass`)).toEqual([
      { reloptions: ['fillfactor=50'] },
    ]);
  });

  it('moves a restored sequence past the values in use', async () => {
    await sql(`DROP SEQUENCE users_number_seq CASCADE`);
    await heal();
    await sql(`INSERT INTO users (id, handle) VALUES (gen_random_uuid(), 'new')`);
    expect(await sql(`SELECT number FROM users WHERE handle = 'new'`)).toEqual([{ number: 11 }]);
  });

  it('leaves a unique constraint out over duplicates, and counts them', async () => {
    await sql(`ALTER TABLE users DROP CONSTRAINT users_handle_key; UPDATE users SET handle = 'same' WHERE number <= 3`);
    const { refused, executed } = await heal();
    expect(refused).toEqual([
      {
        object: 'unique users.users_handle_key',
        reason: 'duplicates',
        rows: 3,
        query:
          'SELECT handle, count(*) AS copies FROM "users" WHERE (handle) IS NOT NULL GROUP BY handle HAVING count(*) > 1',
      },
    ]);
    expect(executed).toBe(0);
    expect(await sql(COUNTS)).toEqual([{ users: 10, posts: 10 }]);
    expect(await sql(`SELECT 1 FROM pg_class WHERE relname = 'users_handle_key'`)).toEqual([]);
  });

  it('leaves a partial unique index out over duplicates of its expression', async () => {
    await sql(
      `DROP INDEX users_email_key; UPDATE users SET email = CASE number WHEN 1 THEN 'A@b' ELSE 'a@B' END WHERE number < 3`,
    );
    expect((await heal()).refused).toEqual([
      expect.objectContaining({ object: 'unique index users.users_email_key', rows: 2 }),
    ]);
  });

  it('leaves a foreign key out over orphans, and counts them', async () => {
    await sql(`ALTER TABLE posts DROP CONSTRAINT posts_user_id_fkey; DELETE FROM users WHERE number <= 4`);
    const { refused } = await heal();
    expect(refused).toEqual([
      expect.objectContaining({ object: 'foreign key posts.posts_user_id_fkey', reason: 'orphans', rows: 4 }),
    ]);
    expect(await sql(refused[0]?.query ?? '')).toHaveLength(4);
    expect(await sql(COUNTS)).toEqual([{ users: 6, posts: 10 }]);
  });

  it('leaves a check out over rows that violate it', async () => {
    await sql(
      `ALTER TABLE users DROP CONSTRAINT users_number_check; UPDATE users SET number = -number WHERE number <= 2`,
    );
    expect((await heal()).refused).toEqual([
      expect.objectContaining({ object: 'check users.users_number_check', rows: 2 }),
    ]);
  });

  it('refuses to invent values for a column that must not be empty', async () => {
    await sql(`ALTER TABLE users DROP created_at`);
    expect((await heal()).refused).toEqual([
      { object: 'column users.created_at', reason: 'rows would need a value that nobody knows', rows: 10, query: '' },
    ]);
  });

  it('never alters what is only different', async () => {
    await sql(`ALTER TABLE users ALTER note TYPE varchar(10)`);
    const { executed, refused } = await heal();
    expect({ executed, refused }).toEqual({ executed: 0, refused: [] });
  });

  it('refuses a name that something else has, and does the rest', async () => {
    await sql(`ALTER TABLE users DROP note; DROP INDEX users_words_idx; CREATE TABLE users_words_idx (taken int)`);
    const { refused, executed } = await heal();
    expect(refused).toEqual([
      expect.objectContaining({
        object: 'index users.users_words_idx',
        reason: 'its name is taken by table users_words_idx',
      }),
    ]);
    expect(executed).toBe(1);
    expect((await heal()).executed).toBe(0);
  });

  it('names what cannot be added because of what was left out', async () => {
    await sql(`ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE; UPDATE users SET id = gen_random_uuid();
      UPDATE users SET id = (SELECT id FROM users WHERE number = 1) WHERE number = 2; DELETE FROM posts; DROP INDEX posts_body_idx`);
    const { refused } = await heal();
    expect(refused.map(({ object, rows }) => [object, rows])).toEqual([
      ['primary key users.users_pkey', 2],
      ['foreign key posts.posts_user_id_fkey', 0],
    ]);
    expect(refused[1]?.reason).toMatch(/no unique constraint matching.*\(42830\)/);
    const live = await readLiveObjects(sample.client, 'public');
    expect(live.some(({ name }) => name === 'posts_body_idx')).toBe(true);
  });

  it('finishes a unique constraint whose index build died', async () => {
    await sql(`ALTER TABLE users DROP CONSTRAINT users_handle_key; CREATE UNIQUE INDEX users_handle_key ON users (handle);
      UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_handle_key'::regclass`);
    expect((await heal()).refused).toEqual([]);
    expect(await liveFingerprint(sample.client)).toBe(whole);
  });
});
