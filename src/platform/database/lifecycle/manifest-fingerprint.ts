import { createHash } from 'node:crypto';
import { sortObjects } from './manifest.js';
import type { SchemaObject } from './manifest.js';

/**
 * SHA-256 (lower-case hex) over the compared part of every object, sorted. What differs between servers or says nothing
 * about structure (column position, extension version, creating statement, rights) is left out.
 */
export function fingerprint(objects: SchemaObject[]): string {
  const hash = createHash('sha256');
  for (const o of sortObjects(objects)) {
    const { kind, table, name, definition } = o;
    const row = [kind, table, name, definition, o.notNull ?? false, o.default ?? null, o.valid ?? true];
    hash.update(JSON.stringify([...row, o.labels ?? null, o.hash ?? null])).update('\n');
  }
  return hash.digest('hex');
}
