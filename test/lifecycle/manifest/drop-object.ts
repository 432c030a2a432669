import { escapeIdentifier as id } from 'pg';
import type { SchemaObject } from '../../../src/platform/database/lifecycle/manifest.js';

/** The statement that removes an object, and whatever cannot stand without it. */
export function dropSql({ kind, table, name }: SchemaObject): string {
  switch (kind) {
    case 'extension':
      return `DROP EXTENSION IF EXISTS ${id(name)} CASCADE`;
    case 'enum':
      return `DROP TYPE IF EXISTS ${id(name)} CASCADE`;
    case 'sequence':
      return `DROP SEQUENCE IF EXISTS ${id(name)} CASCADE`;
    case 'table':
      return `DROP TABLE IF EXISTS ${id(name)} CASCADE`;
    case 'column':
      return `ALTER TABLE IF EXISTS ${id(table)} DROP COLUMN IF EXISTS ${id(name)} CASCADE`;
    case 'unique index':
    case 'index':
      return `DROP INDEX IF EXISTS ${id(name)} CASCADE`;
    case 'function':
      return `DROP FUNCTION IF EXISTS ${name} CASCADE`;
    case 'view':
      return `DROP VIEW IF EXISTS ${id(name)} CASCADE`;
    case 'trigger':
      return `DROP TRIGGER IF EXISTS ${id(name)} ON ${id(table)} CASCADE`;
    case 'row security':
      return `ALTER TABLE ${id(table)} DISABLE ROW LEVEL SECURITY`;
    default:
      return `ALTER TABLE IF EXISTS ${id(table)} DROP CONSTRAINT IF EXISTS ${id(name)} CASCADE`;
  }
}
