import { checkAhead } from '../../../src/platform/database/lifecycle/manifest-compare.js';
import type { AheadCheck } from '../../../src/platform/database/lifecycle/manifest-compare.js';
import { readLiveObjects } from '../../../src/platform/database/lifecycle/manifest-read.js';
import { createSample, undone } from './sample-schema.js';
import type { Sample } from './sample-schema.js';

describe('an older build on a newer schema', () => {
  let sample: Sample;
  beforeAll(async () => void (sample = await createSample()));
  afterAll(() => sample.drop());

  const checkAfter = (sql: string, minEpoch = 0, epoch = 0): Promise<AheadCheck> =>
    undone(sample.client, sql, async () =>
      checkAhead({ ...sample.manifest, epoch }, await readLiveObjects(sample.client, 'public'), minEpoch),
    );

  it.each([
    [
      'a table with whatever it likes',
      `CREATE TABLE newer (id int PRIMARY KEY, must int NOT NULL UNIQUE CHECK (must > 0))`,
    ],
    ['a nullable column', `ALTER TABLE users ADD newer int`],
    ['a column with a default', `ALTER TABLE users ADD newer int NOT NULL DEFAULT 1`],
    ['a foreign key of a new column', `ALTER TABLE users ADD newer uuid REFERENCES users`],
    ['an index', `CREATE INDEX newer ON users (note)`],
    ['an enum value', `ALTER TYPE "Role" ADD VALUE 'guest'`],
    ['a function', `CREATE FUNCTION newer() RETURNS int LANGUAGE sql AS 'SELECT 1'`],
    [
      'another body of a function',
      `CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`,
    ],
    [
      'one more column of a view',
      `CREATE OR REPLACE VIEW bodies AS SELECT u.handle, p.body, u.id FROM users u JOIN posts p ON true`,
    ],
    ['a lost index', `DROP INDEX users_words_idx`],
  ])('starts with %s', async (_, sql) => {
    expect(await checkAfter(sql)).toEqual({ compatible: true, reasons: [] });
  });

  it.each([
    ['column users.newer', `ALTER TABLE users ADD newer int NOT NULL`],
    ['unique users.newer', `ALTER TABLE users ADD CONSTRAINT newer UNIQUE (note)`],
    ['unique index users.newer', `CREATE UNIQUE INDEX newer ON users (note)`],
    ['check users.newer', `ALTER TABLE users ADD CONSTRAINT newer CHECK (note <> '')`],
    ['exclusion posts.newer', `ALTER TABLE posts ADD CONSTRAINT newer EXCLUDE USING gist (span WITH -|-)`],
    ['foreign key posts.newer', `ALTER TABLE posts ADD CONSTRAINT newer FOREIGN KEY (user_id) REFERENCES users`],
    ['column users.note', `ALTER TABLE users DROP note`],
    ['column users.note', `ALTER TABLE users ALTER note TYPE varchar(10)`],
    ['table posts', `DROP TABLE posts CASCADE`],
    ['enum Role', `ALTER TYPE "Role" RENAME VALUE 'member' TO 'guest'`],
    ['function touch()', `ALTER FUNCTION touch() RENAME TO touched`],
  ])('refuses because of %s', async (object, sql) => {
    const { compatible, reasons } = await checkAfter(sql);
    expect(compatible).toBe(false);
    expect(reasons.map((reason) => reason.object)).toContain(object);
  });

  it('refuses a schema whose least epoch is above its own', async () => {
    expect((await checkAfter('', 3, 3)).compatible).toBe(true);
    const { compatible, reasons } = await checkAfter('', 4, 3);
    expect(compatible).toBe(false);
    expect(reasons).toEqual([expect.objectContaining({ object: 'schema epoch', expected: 'at most 3', found: '4' })]);
  });
});
