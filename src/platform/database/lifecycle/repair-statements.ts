import { escapeIdentifier as id, escapeLiteral as literal } from 'pg';

import { objectLabel } from './manifest.js';
import type { SchemaObject } from './manifest.js';
import type { RepairStatement } from './repair-types.js';

const statement = (object: SchemaObject, sql: string, concurrent = false): RepairStatement => ({
  object: objectLabel(object),
  sql,
  concurrent,
});
const alter = (object: SchemaObject, action: string): string => `ALTER TABLE ${id(object.table)} ${action}`;

const guarded = (condition: string, sql: string): string =>
  `DO $parley$ BEGIN IF ${condition} THEN ${sql}; END IF; END $parley$`;

const unlessConstraint = ({ table, name }: SchemaObject, sql: string): string =>
  guarded(
    `NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = ${literal(id(table))}::regclass AND conname = ${literal(name)})`,
    sql,
  );

/** Every statement here changes nothing when its object exists: a crash in the middle, or a second run, does no harm. */
export const addExtension = (object: SchemaObject): RepairStatement[] => [
  statement(object, `CREATE EXTENSION IF NOT EXISTS ${id(object.name)}`),
];

export function addEnum(object: SchemaObject): RepairStatement[] {
  const labels = (object.labels ?? []).map((label) => literal(label)).join(', ');
  const create = `CREATE TYPE ${id(object.name)} AS ENUM (${labels})`;
  return [statement(object, guarded(`to_regtype(${literal(id(object.name))}) IS NULL`, create))];
}

/** The labels `found` lacks, each at its place. */
export function addEnumLabels(expected: SchemaObject, found: SchemaObject): RepairStatement[] {
  const labels = expected.labels ?? [];
  const present = new Set(found.labels);
  const first = labels.find((label) => present.has(label));
  return labels.flatMap((label, index) => {
    if (present.has(label)) return [];
    const before = labels[index - 1];
    const place =
      before === undefined ? (first === undefined ? '' : ` BEFORE ${literal(first)}`) : ` AFTER ${literal(before)}`;
    return [statement(expected, `ALTER TYPE ${id(expected.name)} ADD VALUE IF NOT EXISTS ${literal(label)}${place}`)];
  });
}

export const addAsWritten = (object: SchemaObject): RepairStatement[] => [
  statement(object, (object.create ?? '').trim().replace(/;$/, '')),
];

/** Links a sequence to its column and moves it past the values that are there. */
export function attachSequence(sequence: SchemaObject, users: readonly SchemaObject[]): RepairStatement[] {
  const owner =
    sequence.definition === '' ? [] : [`ALTER SEQUENCE ${id(sequence.name)} OWNED BY ${sequence.definition}`];
  const ahead = users.map(
    ({ table, name }) =>
      `SELECT setval(${literal(id(sequence.name))}, used) FROM (SELECT max(${id(name)}) AS used FROM ${id(table)}) AS found
WHERE used >= (SELECT last_value FROM ${id(sequence.name)})`,
  );
  return [...owner, ...ahead].map((sql) => statement(sequence, sql));
}

function columnSql({ name, definition, notNull, default: value }: SchemaObject): string {
  return `${id(name)} ${definition}${value === undefined ? '' : ` DEFAULT ${value}`}${notNull ? ' NOT NULL' : ''}`;
}

export function addTable(table: SchemaObject, columns: readonly SchemaObject[]): RepairStatement[] {
  const ordered = columns.toSorted((a, b) => (a.position ?? 0) - (b.position ?? 0)).map(columnSql);
  const options = table.create === undefined ? '' : ` WITH (${table.create})`;
  const kind = table.definition === 'unlogged table' ? 'UNLOGGED TABLE' : 'TABLE';
  return [
    statement(table, `CREATE ${kind} IF NOT EXISTS ${id(table.name)} (\n  ${ordered.join(',\n  ')}\n)${options}`),
  ];
}

export const addColumn = (column: SchemaObject): RepairStatement[] => [
  statement(column, alter(column, `ADD COLUMN IF NOT EXISTS ${columnSql(column)}`)),
];

export const setDefault = (column: SchemaObject): RepairStatement[] => [
  statement(column, alter(column, `ALTER COLUMN ${id(column.name)} SET DEFAULT ${column.default ?? 'NULL'}`)),
];

const named = (index: SchemaObject, words: string): string =>
  index.definition.replace(' INDEX ON ', () => ` INDEX ${words} ${id(index.name)} ON `);

/** On a table just created nobody waits, so nothing has to be concurrent. */
export function addIndex(index: SchemaObject, fresh: boolean): RepairStatement[] {
  if (fresh) return [statement(index, named(index, 'IF NOT EXISTS'))];
  return [statement(index, named(index, 'CONCURRENTLY IF NOT EXISTS'), true)];
}

export const rebuildIndex = (index: SchemaObject): RepairStatement[] => [
  statement(index, `REINDEX INDEX CONCURRENTLY ${id(index.name)}`, true),
];

/** Primary key or unique constraint: its index first, concurrently, then the constraint on it in an instant. */
export function addKey(key: SchemaObject, fresh: boolean): RepairStatement[] {
  const parts = /^(PRIMARY KEY|UNIQUE)( NULLS NOT DISTINCT)? (\(.+?\))( INCLUDE \(.+?\))?( DEFERRABLE.*)?$/.exec(
    key.definition,
  );
  if (fresh || parts === null) {
    return [statement(key, unlessConstraint(key, alter(key, `ADD CONSTRAINT ${id(key.name)} ${key.definition}`)))];
  }
  const [, kind = '', nulls = '', columns = '', include = '', deferrable = ''] = parts;
  const name = id(key.name);
  const index = `CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ${name} ON ${id(key.table)} ${columns}${include}${nulls}`;
  const attach = alter(key, `ADD CONSTRAINT ${name} ${kind} USING INDEX ${name}${deferrable}`);
  return [statement(key, index, true), statement(key, unlessConstraint(key, attach))];
}

/** Check or foreign key: at once for new rows, then checked against the old ones without blocking writers. */
export function addRule(rule: SchemaObject, fresh: boolean): RepairStatement[] {
  const add = alter(rule, `ADD CONSTRAINT ${id(rule.name)} ${rule.definition}${fresh ? '' : ' NOT VALID'}`);
  const added = statement(rule, unlessConstraint(rule, add));
  return fresh || rule.valid === false ? [added] : [added, ...validateRule(rule)];
}

export const validateRule = (rule: SchemaObject): RepairStatement[] => [
  statement(rule, alter(rule, `VALIDATE CONSTRAINT ${id(rule.name)}`)),
];

export function addTrigger(trigger: SchemaObject): RepairStatement[] {
  const [, create = '', state] = /^([^]*?)(?: \((disabled|always|replica)\))?$/.exec(trigger.definition) ?? [];
  const condition = `NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = ${literal(id(trigger.table))}::regclass AND tgname = ${literal(trigger.name)})`;
  const mode = { disabled: 'DISABLE', always: 'ENABLE ALWAYS', replica: 'ENABLE REPLICA' }[state ?? ''];
  const switched =
    mode === undefined ? [] : [statement(trigger, alter(trigger, `${mode} TRIGGER ${id(trigger.name)}`))];
  return [statement(trigger, guarded(condition, create)), ...switched];
}
