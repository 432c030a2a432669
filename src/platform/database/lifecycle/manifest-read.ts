import { createHash } from 'node:crypto';
import { escapeIdentifier, escapeLiteral, type ClientBase, type QueryArrayResult } from 'pg';
import { READ_OBJECTS } from './manifest-read.sql.js';
import type { RawRow } from './manifest-read.sql.js';
import { sortObjects } from './manifest.js';
import type { ObjectKind, SchemaObject } from './manifest.js';

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

/**
 * Reads every object of `schema` that a manifest speaks of, sorted, in one statement and one round trip: what is needed
 * to compare. Works inside a transaction or outside; the session's settings are as before when it returns.
 * @param appRole whose rights on tables are checked; default: the current role.
 */
export function readLiveObjects(client: ClientBase, schema: string, appRole?: string): Promise<SchemaObject[]> {
  return read(client, schema, live(appRole));
}

/** The same with what is needed to recreate every object: slower, for building a manifest. */
export function readObjectsInFull(client: ClientBase, schema: string): Promise<SchemaObject[]> {
  return read(client, schema, { role: 'current_user', full: 'true' });
}

async function read(
  client: ClientBase,
  schema: string,
  { role, full }: Record<'role' | 'full', string>,
): Promise<SchemaObject[]> {
  const text = objectsSql(schema, { role, full });
  // Several statements in one message give an array of results, which the typings do not know.
  const results: unknown = await client.query({ text, rowMode: 'array' });
  return objectsIn(schema, results as QueryArrayResult[]);
}

/** The three statements as they are sent, so that they can travel in one message with others. */
function objectsSql(schema: string, { role, full }: Record<'role' | 'full', string>): string {
  const values: Record<string, string> = { ':schema': escapeLiteral(schema), ':role': role, ':full': full };
  const statement = READ_OBJECTS.replaceAll(/:(?:schema|role|full)\b/g, (key) => values[key] ?? key);
  return [CANONICAL, statement, RESTORE].join(';\n');
}

/** Of `readLiveObjects`, for a message that asks for more; `objectsIn` reads the three results, rows as arrays. */
export const liveObjectsSql = (schema: string, appRole?: string): string => objectsSql(schema, live(appRole));

/** What the three statements answered. */
export function objectsIn(schema: string, [, found]: readonly QueryArrayResult[]): SchemaObject[] {
  const rows = (found?.rows[0]?.[0] ?? []) as RawRow[];
  const extensionSchemas = rows.filter(([kind]) => kind === 'extension').map((row) => row[3]);
  const plain = unqualifier([schema, ...extensionSchemas]);
  return sortObjects(rows.map((row) => toObject(row, plain)));
}

const live = (appRole: string | undefined): Record<'role' | 'full', string> => ({
  role: appRole === undefined ? 'current_user' : `${escapeLiteral(appRole)}::name`,
  full: 'false',
});

/**
 * Strips `schema.` in front of a name, so that definitions are equal whatever the schema is called. Inside literals too:
 * that is where `nextval('public.x_seq'::regclass)` has it.
 */
function unqualifier(schemas: string[]): (text: string) => string {
  const names = [...new Set(schemas)]
    .filter((name) => name !== 'pg_catalog')
    .flatMap((name) => [name, escapeIdentifier(name)]);
  const pattern = names.map((name) => name.replaceAll(/[^\w"]/g, String.raw`\$&`)).join('|');
  const qualifier = new RegExp(String.raw`(?<![\w".$])(?:${pattern})\.(?=[\w"])`, 'g');
  // Most texts hold none, and a search for a plain text is cheaper than one for a pattern.
  return (text) => (names.some((name) => text.includes(name)) ? text.replaceAll(qualifier, '') : text);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const texts = (list: (string | null)[] | null): string[] => (list ?? []).filter((text) => text !== null);

function toObject(row: RawRow, plain: (text: string) => string): SchemaObject {
  const [kind, table, rawName, definition, expression, create, flag, position, list, version] = row;
  const name = kind === 'function' ? plain(rawName) : rawName;
  const object: SchemaObject = { kind: kind as ObjectKind, table, name, definition: plain(definition) };
  const creating = create === null ? {} : { create: plain(create) };
  switch (object.kind) {
    case 'extension':
      return { ...object, definition: '', version: version ?? '' };
    case 'enum':
      return { ...object, labels: texts(list) };
    case 'column':
      if (flag) object.notNull = true;
      if (expression !== null) object.default = plain(expression);
      return { ...object, position };
    case 'function':
      return { ...object, hash: sha256(plain(expression ?? '').replaceAll('\r\n', '\n')), ...creating };
    case 'table':
      return { ...object, ...creating, ...(texts(list).length === 0 ? {} : { lacking: texts(list) }) };
    default:
      if (!flag) object.valid = false;
      if (list !== null) object.keys = texts(list).map(plain);
      if (expression !== null) object.where = plain(expression);
  }
  return { ...object, ...creating };
}
