import { createHash } from 'node:crypto';
import { sortObjects } from './manifest.js';
import type { SchemaObject } from './manifest.js';

/**
 * SHA-256 (lower-case hex) over the compared part of every object, sorted. Left out is what differs between servers or
 * says nothing about structure: column position, creating statement, rights, and extensions, which belong to the
 * database and not to the schema (a provider may preload some).
 */
export function fingerprint(objects: SchemaObject[]): string {
  let text = '';
  for (const o of sortObjects(objects)) {
    if (o.kind === 'extension') continue;
    const { kind, table, name, definition } = o;
    const row = [kind, table, name, definition, o.notNull ?? false, o.default ?? null, o.valid ?? true];
    text += `${JSON.stringify([...row, o.labels ?? null, o.hash ?? null])}\n`;
  }
  return createHash('sha256').update(text).digest('hex');
}
