import { controlsTransaction, refusesTransaction, statements } from './sql-lexer.js';

const texts = (sql: string): string[] => statements(sql).map((statement) => statement.text);

it.each([
  ['semicolons in strings', `SELECT 'a;''b'; SELECT 2`, [`SELECT 'a;''b'`, 'SELECT 2']],
  ['backslashes in E strings', String.raw`SELECT E'a\';b'; SELECT 2`, [String.raw`SELECT E'a\';b'`, 'SELECT 2']],
  ['backslashes in plain strings', String.raw`SELECT 'a\'; SELECT 2`, [String.raw`SELECT 'a\'`, 'SELECT 2']],
  ['quoted identifiers', `SELECT 1 AS "a;""b"; SELECT 2`, [`SELECT 1 AS "a;""b"`, 'SELECT 2']],
  ['dollar quotes', 'DO $a$ BEGIN $$;$$; END $a$; SELECT 2', ['DO $a$ BEGIN $$;$$; END $a$', 'SELECT 2']],
  ['parameters are no dollar quotes', 'SELECT $1; SELECT $2', ['SELECT $1', 'SELECT $2']],
  ['comments', '-- a;\n/* b; /* c; */ d; */ SELECT 1; -- e\n', ['SELECT 1']],
  [
    'SQL bodies',
    'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END; SELECT 3',
    ['CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END', 'SELECT 3'],
  ],
  ['nothing', ' ;; -- only this\n ; ', []],
])('splits at top-level semicolons: %s', (_name, sql, expected) => {
  expect(texts(sql)).toEqual(expected);
});

it('keeps the place of each statement', () => {
  const sql = '-- first\nSELECT 1;\n\n  SELECT 2;';
  expect(statements(sql).map(({ offset }) => sql.slice(offset, offset + 8))).toEqual(['SELECT 1', 'SELECT 2']);
});

it.each(['BEGIN', 'begin work', '/* x */ COMMIT', 'END', 'ROLLBACK', 'SAVEPOINT a', 'START TRANSACTION', 'ABORT'])(
  'knows %s as transaction control',
  (sql) => {
    expect(statements(sql).map(controlsTransaction)).toEqual([true]);
  },
);

it.each(['DO $$ BEGIN PERFORM 1; END $$', `SELECT 'COMMIT'`, 'CREATE TABLE "commit" (id int)'])(
  'does not take %s for transaction control',
  (sql) => {
    expect(statements(sql).map(controlsTransaction)).toEqual([false]);
  },
);

it.each([
  ['CREATE INDEX CONCURRENTLY i ON t (a)', true],
  ['create unique index concurrently if not exists i on t (a)', true],
  ['DROP INDEX CONCURRENTLY i', true],
  ['REINDEX TABLE CONCURRENTLY t', true],
  ['VACUUM', true],
  ['CREATE DATABASE d', true],
  ['REFRESH MATERIALIZED VIEW CONCURRENTLY v', false],
  ['CREATE INDEX i ON t (a)', false],
  [`COMMENT ON TABLE t IS 'VACUUM'`, false],
])('%s outside a transaction only: %s', (sql, expected) => {
  expect(statements(sql).map(refusesTransaction)).toEqual([expected]);
});
