import { guardedStatements } from './plpgsql.mjs';

/**
 * What one statement must look like so that it may run again, and whether it breaks the builds of before. All functions
 * take `code`: one statement, comments blanked.
 */

/** Statements that are the same the second time, by form. */
const REPEATABLE = [
  /^CREATE\s+(UNLOGGED\s+)?(TABLE|SEQUENCE|SCHEMA|EXTENSION|MATERIALIZED\s+VIEW)\s+IF\s+NOT\s+EXISTS\b/i,
  /^CREATE\s+(UNIQUE\s+)?INDEX\s+(CONCURRENTLY\s+)?IF\s+NOT\s+EXISTS\b/i,
  /^CREATE\s+OR\s+REPLACE\s+(FUNCTION|PROCEDURE|VIEW|TRIGGER|RULE)\b/i,
  /^ALTER\s+TYPE\s+\S+\s+ADD\s+VALUE\s+IF\s+NOT\s+EXISTS\b/i,
  /^ALTER\s+INDEX\s+(IF\s+EXISTS\s+)?\S+\s+(RE)?SET\b/i,
  /^ALTER\s+SEQUENCE\s+(?!.*\bRENAME\b)/is,
  /^DROP\s+[A-Z ]+?\s+(CONCURRENTLY\s+)?IF\s+EXISTS\b/i,
  /^(COMMENT\s+ON|GRANT|REVOKE|ANALYZE|VACUUM|REINDEX|SELECT|PERFORM|SET\s+LOCAL|RAISE|RETURN|NULL$|ALTER\s+DEFAULT\s+PRIVILEGES)\b/i,
  /^(\w+\s*:?=|EXIT\b|CONTINUE\b|GET\s+DIAGNOSTICS\b)/i, // inside DO
  /^(UPDATE|DELETE\s+FROM)\b.*\bWHERE\b/is,
  /^(INSERT\s+INTO|WITH)\b.*\bON\s+CONFLICT\b/is,
  /^INSERT\s+INTO\b.*\bWHERE\s+NOT\s+EXISTS\b/is,
  /^WITH\b(?!.*\bINSERT\s+INTO\b)(?!.*\bUPDATE\b(?!.*\bWHERE\b))(?!.*\bDELETE\s+FROM\b(?!.*\bWHERE\b))/is,
];

const FIXES = [
  [/^CREATE\s+(UNIQUE\s+)?INDEX\b/i, 'write CREATE INDEX IF NOT EXISTS'],
  [/^CREATE\s+(TYPE|DOMAIN)\b/i, 'wrap it: DO $$ BEGIN IF to_regtype(name) IS NULL THEN ... END IF; END $$'],
  [/^CREATE\s+(FUNCTION|PROCEDURE|VIEW|TRIGGER|RULE)\b/i, 'write CREATE OR REPLACE'],
  [/^CREATE\s+CONSTRAINT\s+TRIGGER\b/i, 'wrap it in a DO block that looks in pg_trigger'],
  [/^CREATE\b/i, 'write IF NOT EXISTS, or wrap it in a DO block that looks first'],
  [/^DROP\b/i, 'write IF EXISTS'],
  [/\bRENAME\b/i, 'wrap it in a DO block that looks for both names'],
  [/^ALTER\s+TYPE\b/i, 'write ADD VALUE IF NOT EXISTS'],
  [/^INSERT\b/i, 'end it in ON CONFLICT, or in WHERE NOT EXISTS'],
  [/^(UPDATE|DELETE)\b/i, 'exclude finished rows by a WHERE'],
];

/** @returns {string | undefined} why the statement may not run a second time */
export const unguarded = (code) => {
  if (/^DO\b/i.test(code)) return unguardedInDo(code);
  if (/^ALTER\s+TABLE\b/i.test(code)) return unguardedAlterTable(code);
  if (REPEATABLE.some((form) => form.test(code))) return undefined;
  const fix = FIXES.find(([form]) => form.test(code))?.[1] ?? 'no guarded form is known for it';
  return `not repeatable: ${fix}`;
};

const unguardedAlterTable = (code) => {
  if (/\bRENAME\b/i.test(code)) return 'not repeatable: wrap the rename in a DO block that looks for both names';
  if (/\bADD\s+(CONSTRAINT|PRIMARY\s+KEY|UNIQUE|CHECK|FOREIGN\s+KEY|EXCLUDE)\b/i.test(code)) {
    return 'not repeatable: wrap it in a DO block that looks in pg_constraint by conname and conrelid';
  }
  if (/\bADD\s+(COLUMN\s+)?(?!IF\s+NOT\s+EXISTS\b|COLUMN\b|GENERATED\b|VALUE\b)["a-z]/i.test(code)) {
    return 'not repeatable: write ADD COLUMN IF NOT EXISTS';
  }
  if (/\bADD\s+GENERATED\b/i.test(code)) return 'not repeatable: wrap it in a DO block that looks in pg_attribute';
  if (/\bDROP\s+(COLUMN|CONSTRAINT)\s+(?!IF\s+EXISTS\b)/i.test(code)) return 'not repeatable: write IF EXISTS';
  return undefined;
};

const CATALOGUE =
  /\b(to_reg\w+\s*\(|pg_(constraint|type|enum|class|attribute|trigger|policy|policies|index|proc|roles)\b|information_schema\.)/i;

const unguardedInDo = (code) => {
  const body = /\$(\w*)\$(.*)\$\1\$/s.exec(code)?.[2];
  if (body === undefined) return 'a DO block needs a dollar-quoted body';
  if (/\bEXCEPTION\s+WHEN\b/i.test(body)) return 'a DO block that swallows errors proves nothing: look first instead';
  for (const { code: inner, conditions } of guardedStatements(body)) {
    const problem = unguarded(dynamic(inner) ?? inner);
    if (!problem) continue;
    const guard = conditions.filter((condition) => CATALOGUE.test(condition)).join(' ');
    if (!guard) return `in a DO block without a look into the catalogue: ${problem}`;
    const constraint = /\bADD\s+CONSTRAINT\s+"?(\w+)"?/i.exec(inner)?.[1];
    if (
      constraint &&
      !(guard.includes(`'${constraint}'`) && /\bconname\b/i.test(guard) && /\bconrelid\b/i.test(guard))
    ) {
      return `the DO block must look for constraint ${constraint} by conname and conrelid`;
    }
    const type = /^CREATE\s+(?:TYPE|DOMAIN)\s+"?(\w+)"?/i.exec(inner)?.[1];
    if (type && !names(guard, type)) return `the DO block must look for the type ${type}`;
    const renamed = /\bRENAME\s+(?:COLUMN\s+|CONSTRAINT\s+)?(?:"?(\w+)"?\s+)?TO\s+"?(\w+)"?/i.exec(inner);
    if (renamed && !renamed.slice(1).every((name) => !name || names(guard, name))) {
      return 'the DO block must look for both names of the rename';
    }
  }
  return undefined;
};

/** Whether a condition speaks of that very name: 'x' or '"x"'. */
const names = (condition, name) => new RegExp(`['"]${name}['"]`).test(condition);

/** `EXECUTE format('DDL ...')`: what it will run. */
const dynamic = (code) =>
  /^EXECUTE\s+(?:\(\s*SELECT\s+)?(?:format\s*\(\s*)?'((?:[^']|'')*)'/is.exec(code)?.[1]?.replaceAll("''", "'").trim();

/**
 * @param {Set<string>} created tables made by the same file, whose shape nobody relies on yet
 * @returns {string | undefined} what a build of before would stumble over
 */
export const breaking = (code, created) => {
  const parts = /^DO\b/i.test(code) ? guardedStatements(/\$(\w*)\$(.*)\$\1\$/s.exec(code)?.[2] ?? '') : [{ code }];
  for (const part of parts) {
    const statement = dynamic(part.code) ?? part.code;
    const table = tableOf(statement);
    if (table && created.has(table)) continue;
    const [, why] = BREAKING.find(([form]) => form.test(statement)) ?? [];
    if (why) return why;
  }
  return undefined;
};

const BREAKING = [
  [/^DROP\b/i, 'DROP'],
  [/^ALTER\b.*\bDROP\s+(?!DEFAULT\b|NOT\s+NULL\b|EXPRESSION\b|IDENTITY\b)/is, 'DROP'],
  [/^ALTER\b.*\bRENAME\b/is, 'RENAME'],
  [/^ALTER\s+TABLE\b.*\bSET\s+NOT\s+NULL\b/is, 'SET NOT NULL'],
  [/^ALTER\s+TABLE\b.*\bALTER\s+(COLUMN\s+)?\S+\s+(SET\s+DATA\s+)?TYPE\b/is, 'a change of type'],
  [
    /^ALTER\s+TABLE\b.*\bADD\s+COLUMN\b(?!.*\bDEFAULT\b|.*\bGENERATED\b).*\bNOT\s+NULL\b/is,
    'a new NOT NULL column without default',
  ],
  [
    /^ALTER\s+TABLE\b.*\bADD\s+(CONSTRAINT\s+\S+\s+)?(UNIQUE|CHECK|EXCLUDE|PRIMARY\s+KEY)\b/is,
    'a new unique or check on an existing table',
  ],
  [/^CREATE\s+UNIQUE\s+INDEX\b/i, 'a new unique or check on an existing table'],
  [/^TRUNCATE\b/i, 'TRUNCATE'],
];

/** @returns {string | undefined} the table that a statement alters or indexes, unquoted */
export const tableOf = (code) =>
  (
    /^ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?([\w".]+)/i.exec(code)?.[1] ??
    /^CREATE\s+(?:UNIQUE\s+)?INDEX\b.*?\bON\s+(?:ONLY\s+)?([\w".]+)/is.exec(code)?.[1]
  )?.replaceAll('"', '');

export const createdTable = (code) =>
  /^CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w".]+)/i.exec(code)?.[1]?.replaceAll('"', '');

/** Statements PostgreSQL refuses inside a transaction. */
export const needsOwnTransaction = (code) =>
  /^(CREATE|DROP|REINDEX)\b.*\bCONCURRENTLY\b/is.exec(code)?.[0].match(/CONCURRENTLY/i)?.[0] ??
  /^(VACUUM|ALTER\s+SYSTEM|(?:CREATE|DROP)\s+(?:DATABASE|TABLESPACE))\b/i.exec(code)?.[1];

export const transactionControl = (code) => {
  const top = /^(BEGIN|COMMIT|ROLLBACK|START\s+TRANSACTION|END|ABORT|SAVEPOINT|RELEASE|PREPARE\s+TRANSACTION)\b/i.exec(
    code,
  );
  if (top) return top[1];
  const body = /^DO\b/i.test(code) && /\b(COMMIT|ROLLBACK)\b\s*(AND\s+\w+\s*)*;/i.exec(code);
  return body ? body[1] : undefined;
};

/** Settings that would outlive the file: the runner's session is used for the next one too. */
export const sessionSetting = (code) => {
  if (/^(SET\s+(?!LOCAL\b|CONSTRAINTS\b)|RESET\b|DISCARD\b)/i.test(code))
    return code.split(/\s+/).slice(0, 2).join(' ');
  return /\bset_config\s*\([^()]*,\s*false\s*\)/i.test(code) ? 'set_config(..., false)' : undefined;
};
