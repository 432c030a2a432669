import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';

export const root = join(import.meta.dirname, '../../..');
export const text = (path: string): string => readFileSync(join(root, path), 'utf8');
/** One document; a key given twice, or a broken reference, throws. Merge keys (`<<`) as compose understands them. */
export const yaml = (path: string): unknown => parse(text(path), { merge: true });
export const json = (path: string): unknown => JSON.parse(text(path));
/** Every document of a rendered text. */
export const documents = (rendered: string): unknown[] =>
  parseAllDocuments(rendered).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS();
  });
export const filesIn = (folder: string, ending: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => `${folder}/${name}`)
    .toSorted();
