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
    .filter((finding) => !isOnNewTable(finding, files.get(finding.file) ?? ''))
    .map((finding) => ({
      migration: basename(dirname(finding.file)),
      line: finding.line + 1,
      rule: finding.rule_name,
      message: [finding.message, finding.help].filter(Boolean).join(' '),
    }));
};

/** An index on a table made by the same file blocks nobody. */
const isOnNewTable = ({ rule_name: rule, line }, sql) => {
  if (rule !== 'require-concurrent-index-creation') return false;
  const statements = splitStatements(sql);
  const indexed = statements.findLast((statement) => statement.line <= line + 1);
  return indexed !== undefined && statements.some(({ code }) => createdTable(code) === tableOf(indexed.code));
};
