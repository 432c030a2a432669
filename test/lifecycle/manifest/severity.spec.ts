import { compareObjects } from '../../../src/platform/database/lifecycle/manifest-compare.js';
import type { Comparison, DifferenceKind } from '../../../src/platform/database/lifecycle/manifest-compare.js';
import { readLiveObjects } from '../../../src/platform/database/lifecycle/manifest-read.js';
import { objectLabel } from '../../../src/platform/database/lifecycle/manifest.js';
import { dropSql } from './drop-object.js';
import { createSample, undone } from './sample-schema.js';
import type { Sample } from './sample-schema.js';

type Severity = keyof Comparison;
type Case = [severity: Severity, kind: DifferenceKind, object: string, sql: string];

/** Every cell of the severity table of the schema lifecycle, provoked once. */
const CHANGES: Case[] = [
  ['fatal', 'different', 'table posts', `ALTER TABLE posts SET UNLOGGED`],
  ['info', 'extra', 'table spare', `CREATE TABLE spare (id int PRIMARY KEY, must int NOT NULL UNIQUE)`],
  ['fatal', 'different', 'column users.email', `ALTER TABLE users ALTER email TYPE varchar(100) COLLATE "C"`],
  ['fatal', 'different', 'column users.note', `ALTER TABLE users ALTER note TYPE text COLLATE "C"`],
  ['fatal', 'different', 'column users.tags', `ALTER TABLE users ALTER tags DROP NOT NULL`],
  ['fatal', 'different', 'column posts.body', `ALTER TABLE posts ALTER body SET NOT NULL`],
  ['fatal', 'different', 'column users.ordinal', `ALTER TABLE users ALTER ordinal DROP IDENTITY`],
  ['fatal', 'different', 'column users.words', `ALTER TABLE users ALTER words DROP EXPRESSION`],
  ['policy', 'different', 'column users.role', `ALTER TABLE users ALTER role SET DEFAULT 'admin'`],
  ['policy', 'different', 'column users.tags', `ALTER TABLE users ALTER tags DROP DEFAULT`],
  ['info', 'extra', 'column users.spare', `ALTER TABLE users ADD spare int`],
  ['info', 'extra', 'column users.spare', `ALTER TABLE users ADD spare int NOT NULL DEFAULT 1`],
  ['fatal', 'extra', 'column users.spare', `ALTER TABLE users ADD spare int NOT NULL`],
  [
    'fatal',
    'different',
    'primary key posts.posts_pkey',
    `ALTER TABLE posts DROP CONSTRAINT posts_pkey, ADD CONSTRAINT posts_pkey PRIMARY KEY (seq)`,
  ],
  [
    'fatal',
    'different',
    'unique users.users_handle_key',
    `ALTER TABLE users DROP CONSTRAINT users_handle_key, ADD CONSTRAINT users_handle_key UNIQUE (handle, id)`,
  ],
  ['policy', 'extra', 'unique users.spare', `ALTER TABLE users ADD CONSTRAINT spare UNIQUE (tags)`],
  [
    'fatal',
    'different',
    'unique index users.users_email_key',
    `DROP INDEX users_email_key; CREATE UNIQUE INDEX users_email_key ON users (email)`,
  ],
  ['policy', 'extra', 'unique index users.spare', `CREATE UNIQUE INDEX spare ON users (tags)`],
  [
    'fatal',
    'invalid',
    'unique index users.users_email_key',
    `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_email_key'::regclass`,
  ],
  [
    'fatal',
    'different',
    'foreign key posts.posts_user_id_fkey',
    `ALTER TABLE posts DROP CONSTRAINT posts_user_id_fkey, ADD CONSTRAINT posts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users`,
  ],
  [
    'fatal',
    'invalid',
    'foreign key posts.posts_user_id_fkey',
    `ALTER TABLE posts DROP CONSTRAINT posts_user_id_fkey,
       ADD CONSTRAINT posts_user_id_fkey FOREIGN KEY (user_id) REFERENCES users ON DELETE CASCADE NOT VALID`,
  ],
  [
    'policy',
    'extra',
    'foreign key users.spare',
    `ALTER TABLE users ADD CONSTRAINT spare FOREIGN KEY (id) REFERENCES users`,
  ],
  [
    'fatal',
    'different',
    'check users.users_number_check',
    `ALTER TABLE users DROP CONSTRAINT users_number_check, ADD CONSTRAINT users_number_check CHECK (number > 1)`,
  ],
  [
    'fatal',
    'invalid',
    'check users.users_number_check',
    `ALTER TABLE users DROP CONSTRAINT users_number_check,
       ADD CONSTRAINT users_number_check CHECK (number > 0 AND role <> 'owner') NOT VALID`,
  ],
  ['policy', 'extra', 'check posts.spare', `ALTER TABLE posts ADD CONSTRAINT spare CHECK (seq > 0)`],
  [
    'fatal',
    'different',
    'exclusion posts.posts_span_excl',
    `ALTER TABLE posts DROP CONSTRAINT posts_span_excl, ADD CONSTRAINT posts_span_excl EXCLUDE USING gist (span WITH -|-)`,
  ],
  [
    'policy',
    'extra',
    'exclusion posts.spare',
    `ALTER TABLE posts ADD CONSTRAINT spare EXCLUDE USING gist (span WITH -|-)`,
  ],
  [
    'policy',
    'different',
    'index posts.posts_body_idx',
    `DROP INDEX posts_body_idx; CREATE INDEX posts_body_idx ON posts (seq)`,
  ],
  [
    'fatal',
    'invalid',
    'index posts.posts_body_idx',
    `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'posts_body_idx'::regclass`,
  ],
  ['info', 'extra', 'index posts.spare', `CREATE INDEX spare ON posts (pause)`],
  ['info', 'renamed', 'index posts.posts_body_idx', `ALTER INDEX posts_body_idx RENAME TO other`],
  ['info', 'renamed', 'unique users.users_handle_key', `ALTER TABLE users RENAME CONSTRAINT users_handle_key TO other`],
  ['info', 'renamed', 'primary key posts.posts_pkey', `ALTER TABLE posts RENAME CONSTRAINT posts_pkey TO other`],
  ['fatal', 'different', 'enum Role', `ALTER TYPE "Role" RENAME VALUE 'admin' TO 'chief'`],
  ['info', 'different', 'enum Role', `ALTER TYPE "Role" ADD VALUE 'guest' BEFORE 'admin'`],
  ['info', 'extra', 'enum Spare', `CREATE TYPE "Spare" AS ENUM ('a')`],
  ['fatal', 'different', 'sequence users_number_seq', `ALTER SEQUENCE users_number_seq OWNED BY NONE`],
  ['info', 'extra', 'sequence spare', `CREATE SEQUENCE spare`],
  ['info', 'extra', 'extension hstore', `CREATE EXTENSION hstore`],
  [
    'fatal',
    'different',
    'function touch()',
    `CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$`,
  ],
  ['fatal', 'different', 'function touch()', `ALTER FUNCTION touch() SECURITY DEFINER`],
  ['info', 'extra', 'function spare()', `CREATE FUNCTION spare() RETURNS int LANGUAGE sql AS 'SELECT 1'`],
  [
    'fatal',
    'different',
    'trigger users.users_touch',
    `CREATE OR REPLACE TRIGGER users_touch AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()`,
  ],
  ['fatal', 'different', 'trigger users.users_touch', `ALTER TABLE users DISABLE TRIGGER users_touch`],
  [
    'policy',
    'extra',
    'trigger users.spare',
    `CREATE TRIGGER spare BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION touch()`,
  ],
  [
    'fatal',
    'different',
    'view bodies',
    `CREATE OR REPLACE VIEW bodies AS SELECT u.handle, p.body, u.id FROM users u JOIN posts p ON p.user_id = u.id`,
  ],
  ['info', 'extra', 'view spare', `CREATE VIEW spare AS SELECT 1 AS one`],
  ['fatal', 'different', 'row security posts', `ALTER POLICY mine ON posts RENAME TO yours`],
  ['fatal', 'different', 'row security posts', `ALTER TABLE posts FORCE ROW LEVEL SECURITY`],
  ['policy', 'extra', 'row security users', `ALTER TABLE users ENABLE ROW LEVEL SECURITY`],
];

describe('severity of a difference between manifest and database', () => {
  let sample: Sample;
  beforeAll(async () => void (sample = await createSample()));
  afterAll(() => sample.drop());

  const compareAfter = (sql: string, drift: 'warn' | 'strict' = 'warn'): Promise<Comparison> =>
    undone(sample.client, sql, async () =>
      compareObjects(sample.manifest.objects, await readLiveObjects(sample.client, 'public'), { drift }),
    );
  const findings = (result: Comparison): string[] =>
    (['fatal', 'policy', 'info'] as const).flatMap((severity) =>
      result[severity].map(({ kind, object }) => `${severity} ${kind} ${object}`),
    );

  it('finds nothing in an unchanged schema', async () => {
    expect(findings(await compareAfter(''))).toEqual([]);
  });

  it.each(CHANGES)('%s: %s %s', async (severity, kind, object, sql) => {
    expect(findings(await compareAfter(sql))).toEqual([`${severity} ${kind} ${object}`]);
  });

  it('finds every object missing, an index as policy and all else as fatal', async () => {
    for (const object of sample.manifest.objects) {
      const result = await compareAfter(dropSql(object));
      const severity = object.kind === 'index' ? 'policy' : 'fatal';
      expect(findings(result)).toContain(`${severity} missing ${objectLabel(object)}`);
      for (const { command } of [...result.fatal, ...result.policy]) expect(command).not.toBe('');
    }
  });

  it('moves policy to fatal when drift is strict', async () => {
    const sql = `ALTER TABLE users ALTER role SET DEFAULT 'admin'`;
    expect(findings(await compareAfter(sql, 'strict'))).toEqual(['fatal different column users.role']);
  });

  it('accepts an equal index under another name in place of ours, even when ours is invalid', async () => {
    const sql = `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_words_idx'::regclass;
      CREATE INDEX other ON users USING gin (words)`;
    const result = await compareAfter(sql);
    expect(findings(result)).toEqual([
      'info renamed index users.users_words_idx',
      'info extra index users.users_words_idx',
    ]);
  });

  it('says what was expected, what was found and what to run', async () => {
    const { fatal } = await compareAfter(`ALTER TABLE users ALTER email TYPE varchar(100) COLLATE "C"`);
    expect(fatal).toEqual([
      {
        object: 'column users.email',
        kind: 'different',
        expected: 'character varying(200) COLLATE "C"',
        found: 'character varying(100) COLLATE "C"',
        command: 'ALTER TABLE "users" ALTER COLUMN "email" TYPE character varying(200) COLLATE "C"',
      },
    ]);
  });

  it('finds the rights the application role lacks, in an owner who gave them up on purpose none', async () => {
    const role = `parley_test_${process.pid}`;
    const sql = `CREATE ROLE ${role}; GRANT USAGE ON SCHEMA public TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON users TO ${role}; GRANT SELECT, INSERT ON posts TO ${role}`;
    await undone(sample.client, sql, async () => {
      const live = await readLiveObjects(sample.client, 'public', role);
      const { fatal } = compareObjects(sample.manifest.objects, live, { drift: 'warn' });
      expect(fatal).toEqual([
        expect.objectContaining({ object: 'table posts', kind: 'rights', found: 'UPDATE, DELETE not granted' }),
      ]);
      const given = sample.manifest.objects.map((o) =>
        o.name === 'posts' && o.kind === 'table' ? { ...o, lacking: ['UPDATE', 'DELETE'] } : o,
      );
      expect(compareObjects(given, live, { drift: 'warn' }).fatal).toEqual([]);
    });
  });

  it('ignores the history table, other schemas and the order of columns', async () => {
    const sql = `CREATE TABLE _prisma_migrations (id text PRIMARY KEY); CREATE SCHEMA lifecycle; CREATE TABLE lifecycle.meta (id int);
      DROP VIEW bodies; ALTER TABLE posts DROP body; ALTER TABLE posts ADD body text;
      CREATE VIEW bodies AS SELECT u.handle, p.body FROM users u JOIN posts p ON p.user_id = u.id;
      CREATE INDEX posts_body_idx ON posts (body, seq DESC NULLS LAST) INCLUDE (pause)`;
    expect(findings(await compareAfter(sql))).toEqual([]);
  });
});
