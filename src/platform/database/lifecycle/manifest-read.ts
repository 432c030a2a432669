import { escapeLiteral, type ClientBase, type QueryArrayResult } from 'pg';
import { LiveSchema } from './live-schema.js';
import { readSchemaSql } from './manifest-read.sql.js';
import type { SchemaRow } from './manifest-read.sql.js';
import type { SchemaObject } from './manifest.js';

/**
 * Settings under which PostgreSQL prints definitions the same everywhere. They are put back by the same message, since
 * `is_local` alone would keep them until the end of a transaction the caller may be in. `jit` would cost more than it saves.
 */
const SETTINGS: Record<string, string> = {
  search_path: '',
  quote_all_identifiers: 'off',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  jit: 'off',
  // Plans that never win on a catalog, and whose weighing takes a fifth of the planning.
  enable_mergejoin: 'off',
  enable_memoize: 'off',
  enable_material: 'off',
};
const names = Object.keys(SETTINGS);
const CANONICAL = `SELECT ${names
  .map(
    (name) =>
      `set_config('parley.${name}', current_setting('${name}'), true), set_config('${name}', '${SETTINGS[name] ?? ''}', true)`,
  )
  .join(', ')}`;
const RESTORE = `SELECT ${names.map((name) => `set_config('${name}', current_setting('parley.${name}'), true)`).join(', ')}`;

interface Reading {
  /** Whose rights on tables are looked at: a quoted literal, or an expression. */
  role: string;
  /** With what is needed to recreate every object: slower. */
  full: boolean;
}

const live = (appRole?: string): Reading => ({
  role: appRole === undefined ? 'current_user' : `${escapeLiteral(appRole)}::name`,
  full: false,
});

/**
 * Reads every object of `schema` that a manifest speaks of, in one statement and one round trip: what is needed to compare.
 * Works inside a transaction or outside; the session's settings are as before when it returns.
 * @param appRole whose rights on tables are checked; default: the current role.
 */
export const readSchema = (client: ClientBase, schema: string, appRole?: string): Promise<LiveSchema> =>
  read(client, schema, live(appRole));

/** The objects of `readSchema`, sorted. */
export const readLiveObjects = async (client: ClientBase, schema: string, appRole?: string): Promise<SchemaObject[]> =>
  (await readSchema(client, schema, appRole)).objects;

/** The same with what is needed to recreate every object: slower, for building a manifest. */
export const readObjectsInFull = async (client: ClientBase, schema: string): Promise<SchemaObject[]> =>
  (await read(client, schema, { role: 'current_user', full: true })).objects;

async function read(client: ClientBase, schema: string, reading: Reading): Promise<LiveSchema> {
  const text = schemaSql(schema, reading);
  // Several statements in one message give an array of results, which the typings do not know.
  const results: unknown = await client.query({ text, rowMode: 'array' });
  return schemaIn(schema, results as QueryArrayResult[]);
}

/** The three statements as they are sent, so that they can travel in one message with others. */
function schemaSql(schema: string, { role, full }: Reading): string {
  const values: Record<string, string> = { ':schema': escapeLiteral(schema), ':role': role };
  const statement = readSchemaSql(full).replaceAll(/:(?:schema|role)\b/g, (key) => values[key] ?? key);
  return [CANONICAL, statement, RESTORE].join(';\n');
}

/** Of `readSchema`, for a message that asks for more; `schemaIn` reads the three results, rows as arrays. */
export const liveSchemaSql = (schema: string, appRole?: string): string => schemaSql(schema, live(appRole));

/** What the three statements answered. */
export function schemaIn(schema: string, [, found]: readonly QueryArrayResult[]): LiveSchema {
  const row: unknown = found?.rows[0] ?? [null, null, null];
  return new LiveSchema(schema, row as SchemaRow);
}
