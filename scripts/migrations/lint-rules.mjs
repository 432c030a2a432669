import { createHash } from 'node:crypto';
import { splitStatements } from './statements.mjs';
import {
  breaking,
  createdTable,
  needsOwnTransaction,
  sessionSetting,
  transactionControl,
  unguarded,
} from './statement-rules.mjs';

/**
 * @typedef {{ name: string, bytes: Uint8Array | undefined, others: string[] }} Migration one folder; `others` are files that
 *   are not migration.sql
 * @typedef {{ migration: string, line: number, rule: string, message: string }} Problem
 */

const NAME = /^\d{14}_[a-z0-9_]+$/;

/**
 * @param {Migration[]} migrations in name order
 * @param {Map<string, string>} released name to SHA-256 of what has been shipped
 * @returns {Problem[]}
 */
export const lintMigrations = (migrations, released) => [
  ...migrations.flatMap(lintMigration),
  ...lintHistory(migrations, released),
];

/** @param {Migration} migration @returns {Problem[]} */
const lintMigration = ({ name, bytes, others }) => {
  const problem = (rule, message, line = 1) => ({ migration: name, line, rule, message });
  if (!NAME.test(name)) return [problem('name', 'the folder must be called <14 digits>_<lower_case_words>')];
  if (others.length > 0) return [problem('name', `only migration.sql belongs here, not ${others.join(', ')}`)];
  if (!bytes) return [problem('file', 'there is no migration.sql')];
  const sql = decode(bytes);
  if (sql === undefined) return [problem('file', 'migration.sql is not UTF-8 without byte order mark and NUL')];
  const statements = splitStatements(sql);
  if (statements.length === 0) return [problem('file', 'migration.sql holds no statement')];

  const directives = readDirectives(sql);
  return [
    ...lintDirectives(directives).map((message) => problem('declared', message)),
    ...lintFile(statements, directives).map(({ rule, message, line }) => problem(rule, message, line)),
  ];
};

const decode = (bytes) => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.startsWith('\uFEFF') || text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
};

/** The `-- lifecycle: a, b` lines among the comments at the head of the file. */
const readDirectives = (sql) => {
  const lines = sql.split('\n').map((line) => line.trim());
  const end = lines.findIndex((line) => line !== '' && !line.startsWith('--'));
  return lines
    .slice(0, end < 0 ? lines.length : end)
    .flatMap((line) => /^--\s*lifecycle:\s*(.*)$/.exec(line)?.[1]?.split(',') ?? [])
    .map((directive) => directive.trim());
};

const epochOf = (directives) => Number(/^contract epoch=([1-9]\d{0,5})$/m.exec(directives.join('\n'))?.[1] ?? 0);

const lintDirectives = (directives) => {
  const kinds = directives.filter((directive) => directive === 'expand' || directive.startsWith('contract'));
  const known = /^(expand|contract epoch=[1-9]\d{0,5}|no-transaction|idempotent-data)$/;
  return [
    ...(kinds.length === 1 ? [] : ['begin with "-- lifecycle: expand" or "-- lifecycle: contract epoch=N"']),
    ...directives.filter((directive) => !known.test(directive)).map((directive) => `unknown directive "${directive}"`),
  ];
};

const lintFile = (statements, directives) => {
  const problems = [];
  const ownTransaction = directives.includes('no-transaction');
  const created = new Set(statements.map(({ code }) => createdTable(code)).filter(Boolean));
  if (ownTransaction && statements.length > 1) {
    problems.push({
      rule: 'one-statement',
      message: 'a no-transaction file holds one statement',
      line: statements[1].line,
    });
  }
  for (const { code, line } of statements) {
    const add = (rule, message) => problems.push({ rule, message, line });
    const control = transactionControl(code);
    if (control) add('transaction-control', `${control.toUpperCase()}: the runner owns the transaction`);
    const setting = sessionSetting(code);
    if (setting) add('set-local', `${setting} outlives the file: use SET LOCAL`);
    const alone = needsOwnTransaction(code);
    if (alone && !ownTransaction) add('needs-no-transaction', `${alone} needs "-- lifecycle: no-transaction"`);
    const repeat = control || setting || alone === 'ALTER SYSTEM' ? undefined : unguarded(code);
    if (repeat) add('guarded', repeat);
    const break_ = breaking(code, created);
    if (break_ && epochOf(directives) === 0) add('contract', `${break_} needs "-- lifecycle: contract epoch=N"`);
  }
  return [...problems, ...lintNewValues(statements)];
};

/** PostgreSQL refuses a label in the transaction that adds it (55P04). */
const lintNewValues = (statements) =>
  statements.flatMap(({ code, line }) => {
    const value = /^ALTER\s+TYPE\b.*\bADD\s+VALUE\s+(?:IF\s+NOT\s+EXISTS\s+)?('(?:[^']|'')*')/is.exec(code)?.[1];
    const used = value && statements.find((other) => other.code !== code && other.code.includes(value));
    const message = `${value} is used in line ${used?.line}, but cannot be in the file that adds it: use two files`;
    return used ? [{ rule: 'add-value-use', message, line }] : [];
  });

/** @returns {Problem[]} */
const lintHistory = (migrations, released) => {
  const problems = [];
  const add = (migration, rule, message) => problems.push({ migration, line: 1, rule, message });
  const byName = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const [name, checksum] of released) {
    const bytes = byName.get(name)?.bytes;
    if (!bytes) add(name, 'released', 'has been released and is gone: databases that ran it would be "ahead" for ever');
    else if (createHash('sha256').update(bytes).digest('hex') !== checksum) {
      add(name, 'released', 'has been released and was edited: put it back, and add a new migration instead');
    }
  }
  const last = [...released.keys()].reduce((latest, name) => (name > latest ? name : latest), '');
  let epoch = 0;
  for (const { name, bytes } of migrations) {
    if (!released.has(name) && name < last)
      add(name, 'order', `sorts before ${last}, which has been released: give it a later time`);
    const own = bytes ? epochOf(readDirectives(decode(bytes) ?? '')) : 0;
    if (own && own < epoch) add(name, 'epoch', `epoch ${own} is below ${epoch}, that of an earlier contract`);
    epoch = Math.max(epoch, own);
  }
  return problems;
};
