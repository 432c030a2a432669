import type { ClientBase } from 'pg';
import { escapeIdentifier as id } from 'pg';

import { objectLabel } from './manifest.js';
import type { SchemaObject } from './manifest.js';
import type { RepairRefusal } from './repair-types.js';

/**
 * The rows that stand against an object, as `reason` and a query listing them; undefined for kinds no row can stand
 * against. Works only where the table and the columns exist.
 */
function against(object: SchemaObject): { reason: string; list: string; count: string } | undefined {
  const table = id(object.table);
  const counted = (reason: string, list: string): { reason: string; list: string; count: string } => ({
    reason,
    list,
    count: `SELECT count(*)::int AS rows FROM (${list}) AS found`,
  });
  switch (object.kind) {
    case 'primary key':
    case 'unique':
    case 'unique index': {
      const keys = object.keys ?? [];
      const distinctNulls = !object.definition.includes('NULLS NOT DISTINCT') && object.kind !== 'primary key';
      const conditions = [
        ...(object.where === undefined ? [] : [object.where]),
        ...(distinctNulls ? keys.map((key) => `(${key}) IS NOT NULL`) : []),
      ];
      const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
      const list = `SELECT ${keys.join(', ')}, count(*) AS copies FROM ${table}${where} GROUP BY ${keys.join(', ')} HAVING count(*) > 1`;
      return {
        reason: 'duplicates',
        list,
        count: `SELECT coalesce(sum(copies), 0)::int AS rows FROM (${list}) AS found`,
      };
    }
    case 'check': {
      const condition = object.definition.replace(/^CHECK /, '').replace(/ NO INHERIT$/, '');
      return counted('rows that violate it', `SELECT * FROM ${table} WHERE NOT (${condition})`);
    }
    case 'foreign key': {
      const [, local, target, remote] =
        /^FOREIGN KEY \((.+?)\) REFERENCES (\S+?)\((.+?)\)/.exec(object.definition) ?? [];
      if (local === undefined || target === undefined || remote === undefined) return undefined;
      const there = remote.split(', ');
      const pairs = local.split(', ').map((column, index) => ({ column, key: there[index] ?? column }));
      const filled = pairs.map(({ column }) => `child.${column} IS NOT NULL`).join(' AND ');
      const same = pairs.map(({ column, key }) => `parent.${key} = child.${column}`).join(' AND ');
      const absent = `NOT EXISTS (SELECT FROM ${target} AS parent WHERE ${same})`;
      return counted('orphans', `SELECT child.* FROM ${table} AS child WHERE ${filled} AND ${absent}`);
    }
    default:
      return undefined;
  }
}

/** Counts what stands against an object; undefined when nothing does. `search_path` is the schema. */
export async function findObstacle(client: ClientBase, object: SchemaObject): Promise<RepairRefusal | undefined> {
  const found = against(object);
  if (found === undefined) return undefined;
  const rows = await countOf(client, found.count);
  return rows === 0 ? undefined : { object: objectLabel(object), reason: found.reason, rows, query: found.list };
}

/** 0 for a table without rows, else their number. */
export const countRows = (client: ClientBase, table: string): Promise<number> =>
  countOf(client, `SELECT count(*)::int AS rows FROM ${id(table)}`);

async function countOf(client: ClientBase, sql: string): Promise<number> {
  const { rows } = await client.query<{ rows: number }>(sql);
  return rows[0]?.rows ?? 0;
}
