import { escapeIdentifier } from 'pg';

import { LifecycleError } from './errors.js';
import type { Session } from './session.js';
import type { Statement } from './sql-lexer.js';

/** `CREATE [UNIQUE] INDEX CONCURRENTLY [IF NOT EXISTS] name`; undefined for any other statement or an unnamed index. */
export function builtIndex(statement: Statement): string | undefined {
  const name =
    /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?("(?:[^"]|"")+"|[a-z_][\w$]*)\s+ON\b/i.exec(
      statement.text,
    )?.[1];
  if (name === undefined) return undefined;
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase();
}

async function isValid(session: Session, index: string): Promise<boolean | undefined> {
  const { rows } = await session.query<{ valid: boolean }>(
    `SELECT i.indisvalid AND i.indisready AS valid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE c.relname = $1 AND c.relnamespace = to_regnamespace($2)`,
    [index, escapeIdentifier(session.run.schema)],
  );
  return rows[0]?.valid;
}

/** A build that was interrupted leaves an INVALID index which `IF NOT EXISTS` would then accept: drop it first. */
export async function dropInvalid(session: Session, index: string): Promise<void> {
  if ((await isValid(session, index)) !== false) return;
  const name = `${escapeIdentifier(session.run.schema)}.${escapeIdentifier(index)}`;
  await session.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
}

export async function assertValid(session: Session, index: string): Promise<void> {
  if (await isValid(session, index)) return;
  throw new LifecycleError('migration', `index ${index} was built but is not valid`);
}

/** How many keys stand twice or more under a unique index that could not be built; asked before it is dropped. */
export async function countDuplicates(session: Session, index: string): Promise<string | undefined> {
  const { rows } = await session.query<{ relation: string; keys: string[]; where: string | null }>(
    `SELECT i.indrelid::regclass::text AS relation, pg_get_expr(i.indpred, i.indrelid) AS where,
            ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, false) FROM generate_series(1, i.indnkeyatts) k) AS keys
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE c.relname = $1 AND c.relnamespace = to_regnamespace($2) AND i.indisunique`,
    [index, escapeIdentifier(session.run.schema)],
  );
  const found = rows[0];
  if (!found) return undefined;
  const keys = found.keys.join(', ');
  const conditions = [...found.keys.map((key) => `(${key}) IS NOT NULL`), ...(found.where ? [found.where] : [])];
  const count = await session.query<{ n: string }>(
    `SELECT count(*)::text AS n FROM (
       SELECT FROM ${found.relation} WHERE ${conditions.join(' AND ')} GROUP BY ${keys} HAVING count(*) > 1) d`,
  );
  return `${count.rows[0]?.n ?? '?'} duplicate values of (${keys}) in ${found.relation}`;
}
