/** A statement of a script with its place, free of surrounding blanks and comments. */
export interface Statement {
  text: string;
  /** 0-based character offset in the script. */
  offset: number;
  /** First words, upper case, comments and quoted parts left out: enough to tell what kind of statement it is. */
  head: string;
}

const isWord = (c: string | undefined): boolean => c !== undefined && /[A-Za-z0-9_$\u0080-\uffff]/.test(c);

/**
 * Splits a script at its top-level semicolons. Knows `'..'` with `''`, `E'..'` with backslashes, `".."`, `$tag$..$tag$`,
 * `--` and nested comments, and SQL function bodies (`BEGIN ATOMIC .. END`). After the PostgreSQL lexical rules,
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html.
 */
export function statements(sql: string): Statement[] {
  const found: Statement[] = [];
  let start = -1; // first significant character of the current statement
  let end = 0; // just after its last significant character
  let words: string[] = [];
  let depth = 0; // of BEGIN ATOMIC bodies and CASE .. END inside them

  const close = (): void => {
    if (start >= 0) found.push({ text: sql.slice(start, end), offset: start, head: words.join(' ') });
    start = -1;
    words = [];
    depth = 0;
  };

  let i = 0;
  while (i < sql.length) {
    const c = sql.charAt(i);
    const comment = skipComment(sql, i);
    if (comment > i || /\s/.test(c)) {
      i = comment > i ? comment : i + 1;
      continue;
    }
    if (c === ';' && depth === 0) {
      close();
      i++;
      continue;
    }
    if (start < 0) start = i;
    const quoted = skipQuoted(sql, i);
    if (quoted > i) {
      i = quoted;
    } else if (isWord(c)) {
      let j = i + 1;
      while (isWord(sql[j])) j++;
      const word = sql.slice(i, j).toUpperCase();
      if (word === 'ATOMIC' && words.at(-1) === 'BEGIN') depth = 1;
      else if (depth > 0 && word === 'CASE') depth++;
      else if (depth > 0 && word === 'END') depth--;
      words.push(word);
      // Only the head is kept, plus the latest word for BEGIN ATOMIC.
      if (words.length > 24) words.splice(22, 1);
      i = j;
    } else {
      i++;
    }
    end = i;
  }
  close();
  return found;
}

/** Whether there is anything but blanks, comments and semicolons. Looks no further than the first word. */
export function holdsStatement(sql: string): boolean {
  for (let i = 0; i < sql.length;) {
    const next = skipComment(sql, i);
    if (next === i && !/[\s;]/.test(sql.charAt(i))) return true;
    i = next > i ? next : i + 1;
  }
  return false;
}

function skipComment(sql: string, at: number): number {
  if (sql.startsWith('--', at)) {
    const newline = sql.indexOf('\n', at);
    return newline < 0 ? sql.length : newline + 1;
  }
  if (!sql.startsWith('/*', at)) return at;
  let level = 1;
  let i = at + 2;
  while (i < sql.length && level > 0) {
    if (sql.startsWith('/*', i)) {
      level++;
      i += 2;
    } else if (sql.startsWith('*/', i)) {
      level--;
      i += 2;
    } else i++;
  }
  return i;
}

/** The end of the string, quoted identifier or dollar quote that begins at `at`; `at` when none begins there. */
function skipQuoted(sql: string, at: number): number {
  const c = sql.charAt(at);
  if (c === "'" || c === '"') return skipDelimited(sql, at, c, false);
  if ((c === 'E' || c === 'e') && sql[at + 1] === "'" && !isWord(sql[at - 1]))
    return skipDelimited(sql, at + 1, "'", true);
  if (c !== '$' || isWord(sql[at - 1])) return at;
  const tag = /^\$([A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$/.exec(sql.slice(at, at + 130))?.[0];
  if (tag === undefined) return at;
  const close = sql.indexOf(tag, at + tag.length);
  return close < 0 ? sql.length : close + tag.length;
}

function skipDelimited(sql: string, at: number, quote: string, backslash: boolean): number {
  let i = at + 1;
  while (i < sql.length) {
    if (backslash && sql[i] === '\\') i += 2;
    else if (sql[i] !== quote) i++;
    else if (sql[i + 1] === quote) i += 2;
    else return i + 1;
  }
  return sql.length;
}

const control =
  /^(BEGIN(?! ATOMIC)|START TRANSACTION|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE TRANSACTION)\b/;
const outside =
  /^(CREATE (UNIQUE )?INDEX CONCURRENTLY|DROP INDEX CONCURRENTLY|REINDEX\b.*\bCONCURRENTLY|VACUUM|ALTER SYSTEM|(CREATE|DROP) (DATABASE|TABLESPACE)|ALTER TABLE .*\bDETACH PARTITION .*\bCONCURRENTLY)\b/;

/** BEGIN, COMMIT and the like: they would end the runner's own transaction in the middle of a file. */
export const controlsTransaction = (statement: Statement): boolean => control.test(statement.head);

/** PostgreSQL refuses it inside a transaction. */
export const refusesTransaction = (statement: Statement): boolean => outside.test(statement.head);
