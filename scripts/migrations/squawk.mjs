import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { basename, dirname } from 'node:path';
import { splitStatements } from './statements.mjs';
import { createdTable, tableOf } from './statement-rules.mjs';

/**
 * Not asked: the runner sets lock_timeout and statement_timeout, the data model chooses its integers, and new enum
 * values go to the end, where Prisma puts them. Never given
 * `--assume-in-transaction`, which would silence prefer-robust-stmts.
 */
const OPTIONS = [
  '--pg-version=14',
  '--exclude=require-lock-timeout,require-statement-timeout,prefer-bigint-over-int,require-enum-value-ordering',
  '--reporter=json',
];

/** What breaks builds of before: for that a file is declared a contract, and then it may. */
const INCOMPATIBLE = new Set([
  'adding-required-field',
  'ban-drop-column',
  'ban-drop-table',
  'changing-column-type',
  'renaming-column',
  'renaming-table',
]);

/**
 * @param {Map<string, string>} files path to text
 * @returns {import('./lint-rules.mjs').Problem[]}
 */
export const runSquawk = (files) => {
  if (files.size === 0) return [];
  const script = createRequire(import.meta.url).resolve('squawk-cli/js/bin/squawk');
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, ...OPTIONS, ...files.keys()], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0 && status !== 1) throw new Error(`squawk did not run: ${stderr || status}`);
  return JSON.parse(stdout || '[]')
    .filter((finding) => !isSettled(finding, files.get(finding.file) ?? ''))
    .map((finding) => ({
      migration: basename(dirname(finding.file)),
      line: finding.line + 1,
      rule: finding.rule_name,
      message: [finding.message, finding.help].filter(Boolean).join(' '),
    }));
};

const isSettled = ({ rule_name: rule, line }, sql) => {
  if (INCOMPATIBLE.has(rule)) return /^-- lifecycle:.*\bcontract epoch=/m.test(sql);
  return rule === 'require-concurrent-index-creation' && isOnNewTable(splitStatements(sql), line + 1);
};

/** An index on a table made by the same file blocks nobody. */
const isOnNewTable = (statements, line) => {
  const indexed = statements.findLast((statement) => statement.line <= line);
  return indexed !== undefined && statements.some(({ code }) => createdTable(code) === tableOf(indexed.code));
};
