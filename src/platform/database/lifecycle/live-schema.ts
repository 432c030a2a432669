import { createHash } from 'node:crypto';
import { escapeIdentifier } from 'pg';

import type { Defined, Detailed, Named, SchemaRow, Surroundings } from './manifest-read.sql.js';
import { sortObjects } from './manifest.js';
import type { ObjectKind, SchemaObject } from './manifest.js';

/**
 * A schema as it was read. Nearly always its fingerprint is the expected one, and nobody asks for its objects: so they are
 * only made when somebody does.
 */
export class LiveSchema {
  /**
   * SHA-256 (lower-case hex) over the compared part of every object, sorted. Left out is what differs between servers or
   * says nothing about structure: column position, creating statement, rights, and extensions, which belong to the
   * database and not to the schema (a provider may preload some).
   */
  readonly fingerprint: string;
  readonly extensions: readonly SchemaObject[];
  /** The DML verbs that the role lacks, by table. */
  readonly lacking: ReadonlyMap<string, string[]>;

  private readonly lines: readonly Line[];
  private readonly plain: (text: string) => string;
  private made: SchemaObject[] | undefined;

  constructor(schema: string, row: SchemaRow) {
    const [extensions, foreign, lacking] = row.slice(-3) as Surroundings;
    const kinds = row.slice(0, -3) as (string | null)[];
    const homes = [schema, ...(extensions ?? []).map(([, , home]) => home)];
    this.plain = unqualifier(homes);
    const plain = unqualifier(homes, inJson);
    const lines = kinds.flatMap((text) => (text === null ? [] : linesOf(text, plain)));
    const others = new Set(foreign);
    this.lines = others.size === 0 ? lines : lines.filter((line) => !belongsTo(others, line));
    this.extensions = (extensions ?? []).map(([name, version]) => ({
      kind: 'extension',
      table: '',
      name,
      definition: '',
      version,
    }));
    this.lacking = new Map(lacking ?? []);
    const texts = this.lines.map(({ name, definition }) => name + definition);
    this.fingerprint = sha256(texts.sort().join('\n'));
  }

  /** Every object, extensions too, sorted. */
  get objects(): SchemaObject[] {
    this.made ??= sortObjects([...this.extensions, ...this.lines.map((line) => this.objectOf(line))]);
    return this.made;
  }

  private objectOf(line: Line): SchemaObject {
    const [kind, table, plainName, flag, labels] = JSON.parse(line.name) as Named;
    const [definition, expression, types] = JSON.parse(line.definition) as Defined;
    const [create, position, keys, where] =
      line.details === undefined ? [null, null, null, null] : (JSON.parse(line.details) as Detailed);
    const name = types === null ? plainName : `${plainName}(${types})`;
    const object: SchemaObject = { kind: kind as ObjectKind, table, name, definition };
    if (kind === 'column') {
      if (flag) object.notNull = true;
      if (expression !== null) object.default = expression;
      if (position !== null) object.position = position;
    } else if (!flag) object.valid = false;
    if (labels !== null) object.labels = labels;
    if (kind === 'function') object.hash = sha256(expression ?? '');
    if (keys !== null) object.keys = keys.map(this.plain);
    if (where !== null) object.where = this.plain(where);
    if (create !== null) object.create = this.plain(create);
    const lacking = kind === 'table' ? this.lacking.get(name) : undefined;
    if (lacking !== undefined) object.lacking = lacking;
    return object;
  }
}

/** One object: its name, its definition without the schema's name, and what recreating it needs. */
interface Line {
  name: string;
  definition: string;
  details: string | undefined;
}

function linesOf(text: string, plain: (text: string) => string): Line[] {
  const [names = '', definitions = '', details] = text.split('\n\n');
  const defined = plain(definitions).split('\n');
  const detailed = details?.split('\n');
  return names.split('\n').map((name, i) => ({ name, definition: defined[i] ?? '', details: detailed?.[i] }));
}

function belongsTo(relations: ReadonlySet<string>, line: Line): boolean {
  const [kind, table, name] = JSON.parse(line.name) as Named;
  return relations.has(['table', 'view', 'sequence'].includes(kind) ? name : table);
}

/** A text, and one inside JSON: there a quote that belongs to it has a backslash. */
const asText = (text: string): string => text;
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);

/**
 * Strips `schema.` in front of a name, so that definitions are equal whatever the schema is called. Inside literals too:
 * that is where `nextval('public.x_seq'::regclass)` has it.
 */
function unqualifier(schemas: string[], written = asText): (text: string) => string {
  const names = [...new Set(schemas)]
    .filter((name) => name !== 'pg_catalog')
    .flatMap((name) => [name, escapeIdentifier(name)].map(written));
  const escaped = (text: string): string => text.replaceAll(/[^\w"]/g, String.raw`\$&`);
  const quote = escaped(written('"'));
  const pattern = names.map(escaped).join('|');
  const qualifier = new RegExp(String.raw`(?<![\w.$]|${quote})(?:${pattern})\.(?=\w|${quote})`, 'g');
  // Most texts hold none, and a search for a plain text is cheaper than one for a pattern.
  return (text) => (names.some((name) => text.includes(name)) ? text.replaceAll(qualifier, '') : text);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
