/**
 * Splits SQL at the semicolons that end statements, knowing `''`, `E''`, `""`, `$tag$`, line comments, nested block
 * comments and the `BEGIN ATOMIC ... END` of SQL-standard function bodies.
 *
 * @param {string} sql
 * @returns {{ text: string, code: string, line: number }[]} `text` as written, without the semicolon; `code` the same
 *   with comments blanked and string bodies kept; `line` 1-based, of the first character of code
 */
export const splitStatements = (sql) => {
  const statements = [];
  let text = '';
  let code = '';
  let line = 1;
  let startLine = 0;
  let atomic = 0;

  const push = () => {
    if (code.trim()) statements.push({ text: text.trim(), code: code.trim(), line: startLine });
    text = '';
    code = '';
    startLine = 0;
  };
  const take = (token, isCode) => {
    if (isCode && !startLine && token.trim()) startLine = line;
    text += token;
    code += isCode ? token : token.replace(/[^\n]/g, ' ');
    line += token.split('\n').length - 1;
  };

  for (let i = 0; i < sql.length;) {
    const token = tokenAt(sql, i);
    if (token.kind === 'end' && atomic === 0) push();
    else {
      if (token.kind === 'word') atomic = atomicDepth(atomic, token.text, code);
      take(token.text, token.kind !== 'comment');
    }
    i += token.text.length;
  }
  push();
  return statements;
};

const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const DOLLAR = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;

const tokenAt = (sql, i) => {
  const two = sql.slice(i, i + 2);
  if (two === '--') return { kind: 'comment', text: until(sql, i, '\n') };
  if (two === '/*') return { kind: 'comment', text: blockComment(sql, i) };
  if (/^[eE]'/.test(two)) return { kind: 'string', text: `${sql[i]}${quoted(sql, i + 1, "'", true)}` };
  if (sql[i] === "'" || sql[i] === '"') return { kind: 'string', text: quoted(sql, i, sql[i], false) };
  if (sql[i] === ';') return { kind: 'end', text: ';' };
  const dollar = match(DOLLAR, sql, i);
  if (dollar) {
    const end = sql.indexOf(dollar, i + dollar.length);
    return { kind: 'string', text: end < 0 ? sql.slice(i) : sql.slice(i, end + dollar.length) };
  }
  const word = match(WORD, sql, i);
  return word ? { kind: 'word', text: word } : { kind: 'other', text: sql[i] };
};

const match = (pattern, sql, i) => {
  pattern.lastIndex = i;
  return pattern.exec(sql)?.[0];
};

const until = (sql, i, end) => {
  const at = sql.indexOf(end, i);
  return at < 0 ? sql.slice(i) : sql.slice(i, at);
};

const blockComment = (sql, start) => {
  let depth = 0;
  for (let i = start; i < sql.length; i++) {
    if (sql.startsWith('/*', i)) [depth, i] = [depth + 1, i + 1];
    else if (sql.startsWith('*/', i)) [depth, i] = [depth - 1, i + 1];
    if (depth === 0) return sql.slice(start, i + 1);
  }
  return sql.slice(start);
};

const quoted = (sql, start, quote, backslash) => {
  for (let i = start + 1; i < sql.length; i++) {
    if (backslash && sql[i] === '\\') i++;
    else if (sql[i] === quote && sql[i + 1] === quote) i++;
    else if (sql[i] === quote) return sql.slice(start, i + 1);
  }
  return sql.slice(start);
};

/** Inside `BEGIN ATOMIC` a CASE also ends in END, so both are counted. */
const atomicDepth = (depth, word, before) => {
  const upper = word.toUpperCase();
  if (upper === 'ATOMIC' && /\bBEGIN\s*$/i.test(before)) return depth + 1;
  if (depth > 0 && upper === 'CASE') return depth + 1;
  if (depth > 0 && upper === 'END') return depth - 1;
  return depth;
};
