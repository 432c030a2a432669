import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

/**
 * Names for the schemas of views, made of their exports: `messageView` is Message. What has a name stands once in the
 * OpenAPI document and is referred to. Two views of one name both get that of their module before it.
 */
export async function schemaNames(modules = join(import.meta.dirname, '../modules')) {
  const files = readdirSync(modules, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /^[a-z]+\/dto\/[^/]+\.js$/.test(file))
    .toSorted();
  const found = new Map<z.ZodObject, { name: string; module: string }>();
  for (const file of files) {
    const exported = (await import(pathToFileURL(join(modules, file)).href)) as Record<string, unknown>;
    for (const [name, schema] of Object.entries(exported)) {
      if (!(schema instanceof z.ZodObject) || found.has(schema)) continue;
      found.set(schema, { name: capital(name.replace(/View$/, '')), module: capital(file.split('/')[0] ?? '') });
    }
  }
  const names = z.registry<{ id: string }>();
  const all = [...found.values()].map(({ name }) => name);
  for (const [schema, { name, module }] of found) {
    const isTaken = name === 'Problem' || all.indexOf(name) !== all.lastIndexOf(name);
    names.add(schema, { id: isTaken ? module + name : name });
  }
  return names;
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
