import { splitStatements } from './statements.mjs';

/**
 * Rewrites what `prisma migrate diff` prints into statements that may run again: `IF [NOT] EXISTS` where PostgreSQL has
 * it, else a `DO` block that looks first.
 *
 * @param {string} script
 * @returns {{ sql: string[], unknown: string[] }} `unknown` are statements without a known guard; they stand in `sql`
 *   as they are and need a human (the lint refuses them)
 */
export const guardScript = (script) => {
  const sql = [];
  const unknown = [];
  for (const { code } of splitStatements(script)) {
    const guarded = guardStatement(code);
    sql.push(...(guarded ?? [`${code};`]));
    if (!guarded) unknown.push(code);
  }
  return { sql, unknown };
};

const NAME = '"[^"]+"(?:\\."[^"]+")?';
const rule = (pattern, rewrite) => ({
  pattern: new RegExp(`^${pattern.replaceAll('NAME', `(${NAME})`)}$`, 'is'),
  rewrite,
});

const RULES = [
  // Prisma creates the default schema when it starts from nothing; ours is given by the connection.
  rule('CREATE SCHEMA .*', () => []),
  rule('CREATE EXTENSION (?:IF NOT EXISTS )?(.*)', (rest) => [`CREATE EXTENSION IF NOT EXISTS ${rest};`]),
  rule('CREATE TYPE NAME AS ENUM (.*)', (name, labels) => [
    when(`to_regtype('${name}') IS NULL`, `CREATE TYPE ${name} AS ENUM ${labels};`),
  ]),
  rule('ALTER TYPE NAME ADD VALUE (?:IF NOT EXISTS )?(.*)', (name, value) => [
    `ALTER TYPE ${name} ADD VALUE IF NOT EXISTS ${value};`,
  ]),
  rule('CREATE TABLE (?:IF NOT EXISTS )?NAME (.*)', (name, body) => [`CREATE TABLE IF NOT EXISTS ${name} ${body};`]),
  rule('CREATE (UNIQUE )?INDEX (?:IF NOT EXISTS )?NAME ON (.*)', (unique, name, rest) => [
    `CREATE ${unique ?? ''}INDEX IF NOT EXISTS ${name} ON ${rest};`,
  ]),
  rule('ALTER TABLE NAME ADD CONSTRAINT NAME (.*)', (table, name, definition) => [
    when(`NOT ${constraintExists(table, name)}`, `ALTER TABLE ${table} ADD CONSTRAINT ${name} ${definition};`),
  ]),
  rule('ALTER TABLE NAME RENAME CONSTRAINT NAME TO NAME', (table, from, to) => [
    when(
      `${constraintExists(table, from)} AND NOT ${constraintExists(table, to)}`,
      `ALTER TABLE ${table} RENAME CONSTRAINT ${from} TO ${to};`,
    ),
  ]),
  rule('ALTER INDEX NAME RENAME TO NAME', (from, to) => [
    when(`to_regclass('${from}') IS NOT NULL AND to_regclass('${to}') IS NULL`, `ALTER INDEX ${from} RENAME TO ${to};`),
  ]),
  rule('DROP (TABLE|INDEX|TYPE|VIEW|SEQUENCE) (?:IF EXISTS )?(.*)', (kind, rest) => [
    `DROP ${kind} IF EXISTS ${rest};`,
  ]),
  rule('ALTER TABLE NAME ((?:ADD COLUMN|DROP COLUMN|DROP CONSTRAINT|ALTER COLUMN)\\b.*)', (table, actions) => [
    `ALTER TABLE ${table} ${actions
      .replaceAll(/\bADD COLUMN\s+(?!IF NOT EXISTS)/gi, 'ADD COLUMN IF NOT EXISTS ')
      .replaceAll(/\bDROP (COLUMN|CONSTRAINT)\s+(?!IF EXISTS)/gi, 'DROP $1 IF EXISTS ')};`,
  ]),
];

const guardStatement = (code) => {
  for (const { pattern, rewrite } of RULES) {
    const found = pattern.exec(code);
    if (found) return rewrite(...found.slice(1));
  }
  return undefined;
};

const constraintExists = (table, name) =>
  `EXISTS (SELECT FROM pg_constraint WHERE conname = '${name.slice(1, -1)}' AND conrelid = '${table}'::regclass)`;

const when = (condition, statement) =>
  `DO $$ BEGIN\n  IF ${condition} THEN\n    ${statement.replaceAll('\n', '\n    ')}\n  END IF;\nEND $$;`;
