/**
 * The manifest is the exact schema a build expects: `prisma/schema.manifest.json`. It holds what is needed to compare a
 * live database with it and to recreate every object. Names carry no schema, so one manifest serves any `DB_SCHEMA`.
 */

export const MANIFEST_FORMAT = 1;

/** In this order objects are listed, and (see repair) created. */
export const OBJECT_KINDS = [
  'extension',
  'enum',
  'sequence',
  'table',
  'column',
  'primary key',
  'unique',
  'unique index',
  'index',
  'exclusion',
  'check',
  'foreign key',
  'function',
  'view',
  'trigger',
  'row security',
] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/**
 * One database object. `kind`, `table`, `name` identify it. Only the fields of its kind are present; absent means "none".
 * All SQL text is free of the application schema's name and written for `search_path = <schema>`.
 */
export interface SchemaObject {
  kind: ObjectKind;
  /** The relation it belongs to; '' for objects that belong to none (tables themselves included). */
  table: string;
  /** Plain name; for functions `name(argument types)`. */
  name: string;
  /**
   * The compared structure as SQL text. table: its kind; column: type, collation, identity or generated clause;
   * constraint: `pg_get_constraintdef` without NOT VALID; index: `pg_get_indexdef` without the name; sequence: owner
   * column; function: signature and attributes; trigger: timing and function; view: column list; row security: flag
   * and policy names.
   */
  definition: string;
  /** column: NOT NULL. */
  notNull?: true;
  /** column: default expression. */
  default?: string;
  /** column: place in its table, for a recreated table only; never compared. */
  position?: number;
  /** index and constraint: false when invalid or not validated. */
  valid?: false;
  /** unique, primary key and unique index: key columns or expressions. */
  keys?: string[];
  /** unique index: its predicate. */
  where?: string;
  /** enum: labels in order. */
  labels?: string[];
  /** function: SHA-256 of its source. */
  hash?: string;
  /** extension: version found; in a manifest, the least version a migration asked for. Not part of a fingerprint. */
  version?: string;
  /** Statement that recreates it when `definition` is not enough; never compared. */
  create?: string;
  /** Live tables only: the DML verbs the application role lacks. */
  lacking?: string[];
}

export type Lane = 'transactional' | 'no-transaction';

export interface ManifestMigration {
  name: string;
  /** SHA-256 of the file bytes, lower-case hex. */
  checksum: string;
  lane: Lane;
  /** Epoch this file raises the database to (`contract epoch=N`); 0 for expand files. */
  epoch: number;
  /** Fingerprints of the schema before and after the file; equal for a file that only changes data. */
  before: string;
  after: string;
}

export interface Manifest {
  format: typeof MANIFEST_FORMAT;
  /** Least PostgreSQL major version. */
  minServer: number;
  /** Name of the newest migration. */
  head: string;
  /** Highest epoch of all migrations; 0 without contract files. */
  epoch: number;
  migrations: ManifestMigration[];
  /** Sorted, see `sortObjects`. */
  objects: SchemaObject[];
}

/** Thrown for a manifest file that is not one, or of another format. */
export class ManifestFormatError extends Error {
  override name = 'ManifestFormatError';
}

const rank = new Map<string, number>(OBJECT_KINDS.map((kind, index) => [kind, index]));
/** Of an object's place in a list: more than any schema has. */
const INDEX_DIGITS = 7;

/** `kind table name`, unique within a schema. */
export const objectKey = (object: SchemaObject): string => `${object.kind} ${object.table} ${object.name}`;

/** Words for people: `column users.email`, `table users`. */
export const objectLabel = (object: SchemaObject): string =>
  `${object.kind} ${object.table === '' || object.table === object.name ? object.name : `${object.table}.${object.name}`}`;

/**
 * By table, kind, name, in UTF-16 code unit order: never by a database's collation. That is how strings sort by themselves,
 * which costs a process that has just started far less than a comparison of ours.
 */
export function sortObjects(objects: SchemaObject[]): SchemaObject[] {
  const keys = objects.map((object, index) => `${sortKey(object)}\0${String(index).padStart(INDEX_DIGITS, '0')}`);
  return keys.sort().flatMap((key) => objects[Number(key.slice(-INDEX_DIGITS))] ?? []);
}

/** No name holds the separator, and nothing sorts before it: so a name goes before those it begins. */
function sortKey({ kind, table, name, definition }: SchemaObject): string {
  const home = kind === 'table' || kind === 'view' ? name : table;
  return [home, String(rank.get(kind) ?? 0).padStart(2, '0'), name, definition].join('\0');
}

/** The file's bytes: sorted, one migration or object per line. */
export function serialiseManifest(manifest: Manifest): string {
  const lines = (rows: readonly object[]): string => rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
  const { format, minServer, head, epoch, migrations, objects } = manifest;
  return `{
  "format": ${format},
  "minServer": ${minServer},
  "head": ${JSON.stringify(head)},
  "epoch": ${epoch},
  "migrations": [
${lines(migrations)}
  ],
  "objects": [
${lines(sortObjects(objects))}
  ]
}
`;
}

/** @throws ManifestFormatError when the text is not a manifest of this format. */
export function parseManifest(text: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ManifestFormatError('the schema manifest is not JSON', { cause });
  }
  const found = value as Partial<Manifest> | null;
  if (found?.format !== MANIFEST_FORMAT) {
    throw new ManifestFormatError(
      `the schema manifest has format ${String(found?.format)}, this build reads ${MANIFEST_FORMAT}`,
    );
  }
  if (!Array.isArray(found.migrations) || !Array.isArray(found.objects) || typeof found.head !== 'string') {
    throw new ManifestFormatError('the schema manifest lacks migrations, objects or head');
  }
  return found as Manifest;
}
