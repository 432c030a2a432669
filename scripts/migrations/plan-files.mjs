import { guardScript } from './guard.mjs';
import { createdTable, tableOf } from './statement-rules.mjs';
import { splitStatements } from './statements.mjs';

/**
 * From a diff script to migration files: one for the transaction, and one for each index on a table that exists, since an
 * index that blocks nobody is built outside transactions, alone.
 *
 * @param {{ name: string, script: string, before: { name: string, sql: string }[], contract: boolean, empty: boolean, now?: Date }} plan
 * @returns {{ files: { name: string, sql: string }[], unknown: string[] }}
 */
export const planFiles = ({ name, script, before, contract, empty, now = new Date() }) => {
  const { sql, unknown } = guardScript(script);
  const created = new Set(sql.map((statement) => createdTable(statement)).filter(Boolean));
  const isAlone = (statement) => /^CREATE (UNIQUE )?INDEX\b/.test(statement) && !created.has(tableOf(statement));
  const together = sql.filter((statement) => !isAlone(statement));
  const kind = contract ? `contract epoch=${lastEpoch(before) + 1}` : 'expand';
  const nextName = namer(before, now);

  const files = [];
  if (together.length > 0 || empty) {
    files.push({ name: nextName(name), sql: `-- lifecycle: ${kind}\n\n${together.join('\n\n')}${empty ? '' : '\n'}` });
  }
  for (const statement of sql.filter(isAlone)) {
    const index = /"(\w+)"/.exec(statement)?.[1] ?? 'index';
    const concurrent = statement.replace('INDEX IF', 'INDEX CONCURRENTLY IF');
    files.push({ name: nextName(`${name}_${index}`), sql: `-- lifecycle: ${kind}, no-transaction\n\n${concurrent}\n` });
  }
  return { files, unknown };
};

/** Names rise: now, or just after the newest there is. */
const namer = (before, now) => {
  let stamp = Number(now.toISOString().replaceAll(/\D/g, '').slice(0, 14));
  const newest = Number(before.at(-1)?.name.slice(0, 14) ?? 0);
  if (stamp <= newest) stamp = newest + 1;
  return (name) => `${stamp++}_${name}`;
};

const lastEpoch = (before) => {
  const epochs = before.map(({ sql }) => Number(/^-- lifecycle:.*\bcontract epoch=(\d+)/m.exec(sql)?.[1] ?? 0));
  return Math.max(0, ...epochs);
};

/** Statements of a file in the lane it declares: whole, or one by one. */
export const messagesOf = (sql) =>
  /^-- lifecycle:.*\bno-transaction\b/m.test(sql) ? splitStatements(sql).map(({ text }) => text) : [sql];
