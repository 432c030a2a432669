import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Rules a planted migration breaks, by name of its folder. */
type Findings = Map<string, string[]>;

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** Lints folders with those files; a text stands for its migration.sql. */
function lint(planted: Record<string, string | Buffer | Record<string, string>>, released = ''): Findings {
  const folder = mkdtempSync(join(tmpdir(), 'parley-lint-'));
  folders.push(folder);
  mkdirSync(join(folder, 'migrations'));
  writeFileSync(join(folder, 'released.sha256'), released);
  for (const [name, content] of Object.entries(planted)) {
    mkdirSync(join(folder, 'migrations', name));
    const files = typeof content === 'string' || Buffer.isBuffer(content) ? { 'migration.sql': content } : content;
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, 'migrations', name, file), text);
  }
  const args = ['scripts/migrations/lint.mjs', '--json', '--dir', join(folder, 'migrations')];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  const problems = JSON.parse(stdout) as { migration: string; rule: string }[];
  expect(status).toBe(problems.length > 0 ? 1 : 0);
  const findings: Findings = new Map();
  for (const { migration, rule } of problems) findings.set(migration, [...(findings.get(migration) ?? []), rule]);
  return findings;
}

const EXPAND = '-- lifecycle: expand\n';
const CONTRACT = '-- lifecycle: contract epoch=1\n';
const ALONE = '-- lifecycle: expand, no-transaction\n';
const guard = (condition: string, statement: string) =>
  `${EXPAND}DO $$ BEGIN IF ${condition} THEN ${statement}; END IF; END $$;`;
const constraint = (columns: string) => `NOT EXISTS (SELECT FROM pg_constraint WHERE ${columns})`;
const FOREIGN = 'ALTER TABLE a ADD CONSTRAINT a_b_fkey FOREIGN KEY (b) REFERENCES b (id)';

/** What a fault is, the file, and the rule that must speak of it. */
const FAULTS: [fault: string, sql: string, rule: string][] = [
  ['nothing declared', 'SELECT 1;', 'declared'],
  ['expand and contract at once', '-- lifecycle: expand, contract epoch=2\nSELECT 1;', 'declared'],
  ['a directive nobody knows', '-- lifecycle: expand, quickly\nSELECT 1;', 'declared'],
  ['a contract without epoch', '-- lifecycle: contract\nSELECT 1;', 'declared'],
  ['a directive below the head', 'SELECT 1;\n-- lifecycle: expand', 'declared'],
  ['no statement', `${EXPAND}-- later\n;`, 'file'],

  ['CREATE TABLE', `${EXPAND}CREATE TABLE a (id bigint);`, 'guarded'],
  ['CREATE TABLE hidden behind a comment', `${EXPAND}CREATE TABLE /* IF NOT EXISTS */ a (id bigint);`, 'guarded'],
  ['CREATE INDEX', `${EXPAND}CREATE INDEX i ON a (b);`, 'guarded'],
  ['CREATE TYPE', `${EXPAND}CREATE TYPE t AS ENUM ('x');`, 'guarded'],
  ['CREATE FUNCTION', `${EXPAND}CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';`, 'guarded'],
  ['CREATE VIEW', `${EXPAND}CREATE VIEW v AS SELECT 1;`, 'guarded'],
  ['CREATE TRIGGER', `${EXPAND}CREATE TRIGGER t BEFORE UPDATE ON a EXECUTE FUNCTION f();`, 'guarded'],
  ['CREATE EXTENSION', `${EXPAND}CREATE EXTENSION pg_trgm;`, 'guarded'],
  ['CREATE POLICY', `${EXPAND}CREATE POLICY p ON a USING (true);`, 'guarded'],
  ['ADD COLUMN', `${EXPAND}ALTER TABLE a ADD COLUMN b text;`, 'guarded'],
  ['ADD without the word COLUMN', `${EXPAND}ALTER TABLE a ADD b text;`, 'guarded'],
  ['one of two ADD COLUMN', `${EXPAND}ALTER TABLE a ADD COLUMN IF NOT EXISTS b text, ADD COLUMN c text;`, 'guarded'],
  ['ADD CONSTRAINT', `${EXPAND}${FOREIGN};`, 'guarded'],
  ['ADD VALUE', `${EXPAND}ALTER TYPE t ADD VALUE 'y';`, 'guarded'],
  ['DROP TABLE', `${CONTRACT}DROP TABLE a;`, 'guarded'],
  ['DROP COLUMN', `${CONTRACT}ALTER TABLE a DROP COLUMN b;`, 'guarded'],
  ['RENAME', `${CONTRACT}ALTER TABLE a RENAME COLUMN b TO c;`, 'guarded'],
  ['INSERT', `${EXPAND}INSERT INTO a (id) VALUES (1);`, 'guarded'],
  ['UPDATE of every row', `${EXPAND}UPDATE a SET b = b + 1;`, 'guarded'],
  ['a statement of no known form', `${EXPAND}COPY a FROM '/tmp/a';`, 'guarded'],

  ['DO without a look', `${EXPAND}DO $$ BEGIN CREATE TYPE t AS ENUM ('x'); END $$;`, 'guarded'],
  ['DO that looks elsewhere', guard(`to_regtype('u') IS NULL`, `CREATE TYPE t AS ENUM ('x')`), 'guarded'],
  ['DO with a condition that is no look', guard(`current_user = 'a'`, `CREATE TYPE t AS ENUM ('x')`), 'guarded'],
  [
    'DO that swallows',
    `${EXPAND}DO $$ BEGIN ${FOREIGN}; EXCEPTION WHEN duplicate_object THEN NULL; END $$;`,
    'guarded',
  ],
  ['a constraint looked for by name alone', guard(constraint(`conname = 'a_b_fkey'`), FOREIGN), 'guarded'],
  [
    'another constraint looked for',
    guard(constraint(`conname = 'z' AND conrelid = 'a'::regclass`), FOREIGN),
    'guarded',
  ],
  [
    'DDL behind the guard',
    `${guard(`to_regtype('t') IS NULL`, 'NULL').replace('END $$', 'CREATE TYPE t AS ENUM (); END $$')}`,
    'guarded',
  ],
  ['dynamic DDL', `${EXPAND}DO $$ BEGIN EXECUTE 'CREATE TABLE a (id bigint)'; END $$;`, 'guarded'],
  [
    'a rename that looks for one name',
    guard(`to_regclass('a') IS NOT NULL`, 'ALTER TABLE a RENAME TO b').replace('expand', 'contract epoch=1'),
    'guarded',
  ],

  ['BEGIN', `${EXPAND}BEGIN; SELECT 1;`, 'transaction-control'],
  ['COMMIT', `${EXPAND}SELECT 1; COMMIT;`, 'transaction-control'],
  ['COMMIT in the middle of a line', `${EXPAND}SELECT ';'; /* ; */ commit ;`, 'transaction-control'],
  ['COMMIT in a DO block', `${EXPAND}DO $$ BEGIN PERFORM 1; COMMIT; END $$;`, 'transaction-control'],
  ['SAVEPOINT', `${EXPAND}SAVEPOINT s;`, 'transaction-control'],
  ['SET', `${EXPAND}SET search_path = x; SELECT 1;`, 'set-local'],
  ['SET SESSION', `${EXPAND}SET SESSION lock_timeout = 0;`, 'set-local'],
  ['RESET', `${EXPAND}RESET ALL;`, 'set-local'],
  ['set_config for the session', `${EXPAND}SELECT set_config('a.b', 'c', false);`, 'set-local'],

  [
    'CONCURRENTLY in a transaction',
    `${EXPAND}CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a (b);`,
    'needs-no-transaction',
  ],
  ['VACUUM in a transaction', `${EXPAND}VACUUM a;`, 'needs-no-transaction'],
  [
    'two statements on their own',
    `${ALONE}CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a (b); SELECT 1;`,
    'one-statement',
  ],
  [
    'a new value used at once',
    `${EXPAND}ALTER TYPE t ADD VALUE IF NOT EXISTS 'y'; UPDATE a SET b = 'y' WHERE b = 'x';`,
    'add-value-use',
  ],

  ['DROP TABLE undeclared', `${EXPAND}DROP TABLE IF EXISTS a;`, 'contract'],
  ['DROP COLUMN undeclared', `${EXPAND}ALTER TABLE a DROP COLUMN IF EXISTS b;`, 'contract'],
  ['SET NOT NULL undeclared', `${EXPAND}ALTER TABLE a ALTER COLUMN b SET NOT NULL;`, 'contract'],
  ['a change of type undeclared', `${EXPAND}ALTER TABLE a ALTER COLUMN b TYPE bigint;`, 'contract'],
  ['a required column undeclared', `${EXPAND}ALTER TABLE a ADD COLUMN IF NOT EXISTS b text NOT NULL;`, 'contract'],
  ['a unique index undeclared', `${EXPAND}CREATE UNIQUE INDEX IF NOT EXISTS i ON a (b);`, 'contract'],
  [
    'a check undeclared',
    guard(constraint(`conname = 'c' AND conrelid = 'a'::regclass`), 'ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0)'),
    'contract',
  ],
  [
    'a rename undeclared',
    guard(`to_regclass('a') IS NOT NULL AND to_regclass('b') IS NULL`, 'ALTER TABLE a RENAME TO b'),
    'contract',
  ],

  ['a lock squawk knows of', `${EXPAND}CREATE INDEX IF NOT EXISTS i ON a (b);`, 'require-concurrent-index-creation'],
  ['a type squawk knows of', `${EXPAND}CREATE TABLE IF NOT EXISTS a (t timestamp);`, 'prefer-timestamp-tz'],
];

/** Files without a fault. */
const SOUND: [what: string, sql: string][] = [
  [
    'a table with its indexes',
    `${EXPAND}CREATE TABLE IF NOT EXISTS a (id bigint); CREATE UNIQUE INDEX IF NOT EXISTS i ON a (id);`,
  ],
  ['a column', `${EXPAND}ALTER TABLE a ADD COLUMN IF NOT EXISTS b text, ADD COLUMN IF NOT EXISTS c bigint;`],
  ['a type', guard(`to_regtype('"t"') IS NULL`, `CREATE TYPE "t" AS ENUM ('x', 'y')`)],
  ['a value', `${EXPAND}ALTER TYPE "t" ADD VALUE IF NOT EXISTS 'z';`],
  ['an index on its own', `${ALONE}CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a (b);`],
  [
    'a function that holds semicolons, COMMIT in a text and SET',
    `${EXPAND}CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN PERFORM 'COMMIT;'; SET LOCAL a.b = 1; RETURN 1; END $f$;`,
  ],
  [
    'data that looks for itself',
    `${EXPAND}INSERT INTO a (id) VALUES (1) ON CONFLICT DO NOTHING; UPDATE a SET b = 'x' WHERE b IS NULL;`,
  ],
  ['a declared drop', `${CONTRACT.replace('=1', '=7')}DROP TABLE IF EXISTS a;`],
  [
    'a block that declares and loops',
    `${EXPAND}DO $$ DECLARE r text; n int := 0; BEGIN FOR r IN SELECT rolname FROM pg_roles LOOP EXECUTE format('REVOKE ALL ON a FROM %I', r); n := n + 1; END LOOP; END $$;`,
  ],
];

const nameOf = (index: number) => `20261201${String(index).padStart(6, '0')}_planted`;
let findings: Findings;
beforeAll(() => {
  findings = lint(Object.fromEntries([...FAULTS, ...SOUND].map(([, sql], index) => [nameOf(index), sql])));
});

it.each(FAULTS.map(([fault, , rule], index) => ({ fault, rule, index })))(
  '$fault is refused: $rule',
  ({ rule, index }) => {
    expect(findings.get(nameOf(index))).toContain(rule);
  },
);

it.each(SOUND.map(([what], index) => ({ what, index: FAULTS.length + index })))('$what passes', ({ index }) => {
  expect(findings.get(nameOf(index)) ?? []).toEqual([]);
});

describe('files and names', () => {
  it.each([
    ['20261201_short', EXPAND, 'name'],
    ['20261201000000_Upper', EXPAND, 'name'],
    ['20261201000000_a', { 'migration.sql': `${EXPAND}SELECT 1;`, 'notes.md': 'x' }, 'name'],
    ['20261201000000_b', {}, 'file'],
    ['20261201000000_c', Buffer.from([0xff, 0xfe, 0x41]), 'file'],
    ['20261201000000_d', `\uFEFF${EXPAND}SELECT 1;`, 'file'],
  ])('%s is refused', (name, content, rule) => {
    expect(lint({ [name]: content }).get(name)).toEqual([rule]);
  });
});

describe('history', () => {
  const sql = `${EXPAND}SELECT 1;`;
  const [early, first, second] = ['20261130000000_early', '20261201000000_first', '20261202000000_second'];
  const sealed = `# comment\n${createHash('sha256').update(sql).digest('hex')}  migrations/${first}/migration.sql\n`;

  it('a released file stays as it is, new ones come after it', () => {
    expect(lint({ [first]: sql, [second]: sql }, sealed)).toEqual(new Map());
    expect(lint({ [first]: `${sql}\n` }, sealed)).toEqual(new Map([[first, ['released']]]));
    expect(lint({ [second]: sql }, sealed)).toEqual(new Map([[first, ['released']]]));
    expect(lint({ [early]: sql, [first]: sql }, sealed)).toEqual(new Map([[early, ['order']]]));
  });

  it('epochs never fall', () => {
    const contract = (epoch: number) => `-- lifecycle: contract epoch=${epoch}\nSELECT 1;`;
    expect(lint({ [early]: contract(1), [first]: contract(2), [second]: contract(2) })).toEqual(new Map());
    expect(lint({ [first]: contract(2), [second]: contract(1) })).toEqual(new Map([[second, ['epoch']]]));
  });
});

it("Parley's own migrations pass", () => {
  const { stderr, status } = spawnSync(process.execPath, ['scripts/migrations/lint.mjs'], { encoding: 'utf8' });
  expect(stderr).toMatch(/^\d+ migrations, problems: 0\n$/);
  expect(status).toBe(0);
});
