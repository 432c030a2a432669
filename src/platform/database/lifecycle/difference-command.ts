import { escapeIdentifier } from 'pg';

import type { ObjectKind, SchemaObject } from './manifest.js';

const REPAIR = 'parley db repair';
const CONSTRAINTS: ReadonlySet<ObjectKind> = new Set(['primary key', 'unique', 'exclusion', 'check', 'foreign key']);

const id = escapeIdentifier;
const isConstraint = (object: SchemaObject): boolean => CONSTRAINTS.has(object.kind);
const alter = (object: SchemaObject): string => `ALTER TABLE ${id(object.table)}`;

/** Row security restricts, it does not add: nobody but an operator may bring it back. */
export const isRepairable = (kind: ObjectKind): boolean => kind !== 'row security' && kind !== 'exclusion';

export function commandForMissing(expected: SchemaObject): string {
  if (isRepairable(expected.kind)) return REPAIR;
  if (expected.kind === 'row security') {
    return `ALTER TABLE ${id(expected.table)} ENABLE ROW LEVEL SECURITY, and recreate its policies (${expected.definition})`;
  }
  return `${alter(expected)} ADD CONSTRAINT ${id(expected.name)} ${expected.definition}`;
}

export function commandForDifferent(expected: SchemaObject, found: SchemaObject): string {
  if (isConstraint(expected)) {
    const name = id(found.name);
    return `${alter(expected)} DROP CONSTRAINT ${name}, ADD CONSTRAINT ${id(expected.name)} ${expected.definition}`;
  }
  switch (expected.kind) {
    case 'column':
      return `${alter(expected)} ${columnChanges(expected, found).join(', ')}`;
    case 'index':
    case 'unique index':
      return `DROP INDEX CONCURRENTLY ${id(found.name)}, then ${REPAIR}`;
    case 'sequence':
      return `ALTER SEQUENCE ${id(expected.name)} OWNED BY ${expected.definition || 'NONE'}`;
    case 'enum':
      return REPAIR;
    case 'extension':
      return `ALTER EXTENSION ${id(expected.name)} UPDATE`;
    case 'function':
      return `${expected.create?.trim() ?? ''};`;
    case 'trigger':
      return `DROP TRIGGER ${id(found.name)} ON ${id(found.table)}, then ${REPAIR}`;
    case 'view':
      return `DROP VIEW ${id(found.name)}, then ${REPAIR}`;
    case 'row security':
      return `recreate the policies of ${id(expected.table)}, so that they are: ${expected.definition}`;
    default:
      return 'restore it from a backup, or undo what changed it';
  }
}

function columnChanges(expected: SchemaObject, found: SchemaObject): string[] {
  const column = `ALTER COLUMN ${id(expected.name)}`;
  const changes: string[] = [];
  if (expected.definition !== found.definition) changes.push(`${column} TYPE ${expected.definition}`);
  if (expected.notNull !== found.notNull) changes.push(`${column} ${expected.notNull ? 'SET' : 'DROP'} NOT NULL`);
  if (expected.default !== found.default) {
    changes.push(`${column} ${expected.default === undefined ? 'DROP DEFAULT' : `SET DEFAULT ${expected.default}`}`);
  }
  return changes;
}

export function commandForInvalid(expected: SchemaObject, found: SchemaObject): string {
  if (expected.kind === 'check' || expected.kind === 'foreign key') {
    return `${alter(expected)} VALIDATE CONSTRAINT ${id(found.name)}`;
  }
  return `REINDEX INDEX CONCURRENTLY ${id(found.name)}`;
}

export function commandForRename(expected: SchemaObject, found: SchemaObject): string {
  const names = `${id(found.name)} TO ${id(expected.name)}`;
  return isConstraint(expected)
    ? `${alter(expected)} RENAME CONSTRAINT ${names}`
    : `ALTER INDEX ${id(found.name)} RENAME TO ${id(expected.name)}`;
}

export function commandForExtra(found: SchemaObject): string {
  if (isConstraint(found)) return `${alter(found)} DROP CONSTRAINT ${id(found.name)}`;
  switch (found.kind) {
    case 'column':
      return found.notNull && found.default === undefined
        ? `${alter(found)} ALTER COLUMN ${id(found.name)} DROP NOT NULL`
        : '';
    case 'unique index':
      return `DROP INDEX CONCURRENTLY ${id(found.name)}`;
    case 'trigger':
      return `DROP TRIGGER ${id(found.name)} ON ${id(found.table)}`;
    case 'row security':
      return `${alter(found)} DISABLE ROW LEVEL SECURITY`;
    default:
      return '';
  }
}
