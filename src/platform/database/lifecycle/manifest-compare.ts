import {
  commandForDifferent,
  commandForExtra,
  commandForInvalid,
  commandForMissing,
  commandForRename,
} from './difference-command.js';
import type { LiveSchema } from './live-schema.js';
import { objectLabel } from './manifest.js';
import type { Manifest, ObjectKind, SchemaObject } from './manifest.js';
import { matchObjects } from './manifest-match.js';
import type { Pair } from './manifest-match.js';

export type DifferenceKind = 'missing' | 'different' | 'extra' | 'renamed' | 'invalid' | 'rights';

/** One finding, in words for an operator. */
export interface Difference {
  /** e.g. `column users.email` */
  object: string;
  kind: DifferenceKind;
  expected: string;
  found: string;
  /** What to run: SQL or a `parley` command; '' when nothing needs doing. */
  command: string;
}

export interface Comparison {
  /** The schema must not serve. */
  fatal: Difference[];
  /** Warned about; moved to `fatal` by `drift: 'strict'`. */
  policy: Difference[];
  info: Difference[];
}

type Severity = keyof Comparison;

interface Finding {
  severity: Severity;
  difference: Difference;
  expected?: SchemaObject;
  found?: SchemaObject;
}

/** missing, different, extra. What a table of ours must not get is at least policy; the rest adds nothing to fear. */
const SEVERITY: Record<ObjectKind, [missing: Severity, different: Severity, extra: Severity]> = {
  extension: ['fatal', 'fatal', 'info'],
  enum: ['fatal', 'fatal', 'info'],
  sequence: ['fatal', 'fatal', 'info'],
  table: ['fatal', 'fatal', 'info'],
  column: ['fatal', 'fatal', 'info'],
  'primary key': ['fatal', 'fatal', 'policy'],
  unique: ['fatal', 'fatal', 'policy'],
  'unique index': ['fatal', 'fatal', 'policy'],
  index: ['policy', 'policy', 'info'],
  exclusion: ['fatal', 'fatal', 'policy'],
  check: ['fatal', 'fatal', 'policy'],
  'foreign key': ['fatal', 'fatal', 'policy'],
  function: ['fatal', 'fatal', 'info'],
  view: ['fatal', 'fatal', 'info'],
  trigger: ['fatal', 'fatal', 'policy'],
  'row security': ['fatal', 'fatal', 'policy'],
};

/**
 * What is there with what the build needs. An equal fingerprint leaves only what is not part of it: rights on tables, and
 * versions of extensions.
 */
export function compareSchema(manifest: Manifest, live: LiveSchema, options: { drift: 'warn' | 'strict' }): Comparison {
  const same = live.fingerprint === manifest.migrations.at(-1)?.after && live.lacking.size === 0;
  if (!same) return compareObjects(manifest.objects, live.objects, options);
  return compareObjects(
    manifest.objects.filter(({ kind }) => kind === 'extension'),
    live.extensions,
    options,
  );
}

/** Compares by the severity table of the schema lifecycle. Structure first: another name alone is info. */
export function compareObjects(
  expected: readonly SchemaObject[],
  live: readonly SchemaObject[],
  options: { drift: 'warn' | 'strict' },
): Comparison {
  const result: Comparison = { fatal: [], policy: [], info: [] };
  for (const { severity, difference } of findings(expected, live)) {
    result[severity === 'policy' && options.drift === 'strict' ? 'fatal' : severity].push(difference);
  }
  return result;
}

function findings(expected: readonly SchemaObject[], live: readonly SchemaObject[]): Finding[] {
  const { pairs, missing, extra } = matchObjects(expected, live);
  return [
    ...missing.map((object): Finding => {
      const [severity] = SEVERITY[object.kind];
      const command = commandForMissing(object);
      return finding(severity, 'missing', { expected: object }, describe(object), 'nothing', command);
    }),
    ...pairs.flatMap(pairFindings),
    ...extra.map(extraFinding),
  ];
}

function finding(
  severity: Severity,
  kind: DifferenceKind,
  objects: Partial<Pair>,
  expected: string,
  found: string,
  command: string,
): Finding {
  const object = objects.expected ?? objects.found;
  const label = object === undefined ? '' : objectLabel(object);
  return { severity, difference: { object: label, kind, expected, found, command }, ...objects };
}

/** Nothing may be inserted by a build that does not know such a column. */
const isDemanding = (column: SchemaObject): boolean =>
  column.kind === 'column' &&
  column.notNull === true &&
  column.default === undefined &&
  !column.definition.includes(' GENERATED ');

function extraFinding(found: SchemaObject): Finding {
  const severity = isDemanding(found) ? 'fatal' : SEVERITY[found.kind][2];
  return finding(severity, 'extra', { found }, 'nothing', describe(found), commandForExtra(found));
}

function pairFindings(pair: Pair): Finding[] {
  const { expected, found } = pair;
  const result: Finding[] = [];
  const different = (severity: Severity, what = describe): void => {
    const command = commandForDifferent(expected, found);
    result.push(finding(severity, 'different', pair, what(expected), what(found), command));
  };
  const [, severity] = SEVERITY[expected.kind];
  if (expected.kind === 'enum') return enumFindings(pair);
  if (expected.kind === 'extension') {
    if (isOlder(found.version ?? '', expected.version ?? '')) different(severity, (o) => `version ${o.version ?? ''}`);
    return result;
  }
  if (expected.kind === 'table') result.push(...rightsFindings(pair));
  if (expected.definition !== found.definition || expected.notNull !== found.notNull || expected.hash !== found.hash) {
    different(severity);
  } else if (expected.default !== found.default) {
    different('policy');
  } else if (expected.valid !== false && found.valid === false) {
    result.push(finding('fatal', 'invalid', pair, 'valid', 'not valid', commandForInvalid(expected, found)));
  } else if (expected.name !== found.name) {
    result.push(finding('info', 'renamed', pair, expected.name, found.name, commandForRename(expected, found)));
  }
  return result;
}

function enumFindings(pair: Pair): Finding[] {
  const expected = pair.expected.labels ?? [];
  const found = pair.found.labels ?? [];
  if (expected.join('\n') === found.join('\n')) return [];
  const lacking = expected.some((label) => !found.includes(label));
  const command = lacking ? commandForDifferent(pair.expected, pair.found) : '';
  return [finding(lacking ? 'fatal' : 'info', 'different', pair, expected.join(', '), found.join(', '), command)];
}

function rightsFindings(pair: Pair): Finding[] {
  const granted = pair.expected.lacking ?? [];
  const lacking = (pair.found.lacking ?? []).filter((verb) => !granted.includes(verb)).join(', ');
  if (lacking === '') return [];
  const command = `GRANT ${lacking} ON ${pair.expected.name} TO the role of DATABASE_URL`;
  return [finding('fatal', 'rights', pair, `${lacking} granted`, `${lacking} not granted`, command)];
}

/** Compares dotted versions; an empty minimum is met by all. */
function isOlder(version: string, minimum: string): boolean {
  if (minimum === '') return false;
  return version.localeCompare(minimum, 'en', { numeric: true }) < 0;
}

function describe(object: SchemaObject): string {
  const parts = [
    object.definition,
    object.labels?.join(', ') ?? '',
    object.notNull ? 'NOT NULL' : '',
    object.default === undefined ? '' : `DEFAULT ${object.default}`,
    object.hash === undefined ? '' : `source ${object.hash.slice(0, 12)}`,
    object.version === undefined || object.version === '' ? '' : `version ${object.version}`,
  ];
  return parts.filter((part) => part !== '').join(' ') || object.kind;
}

export interface AheadCheck {
  compatible: boolean;
  /** Why not; empty when compatible. */
  reasons: Difference[];
}

const RESTRICTING: ReadonlySet<ObjectKind> = new Set(['primary key', 'unique', 'unique index', 'exclusion', 'check']);

/**
 * May this build serve on a newer schema? `minEpoch` is `lifecycle.meta.min_epoch`, 0 when there is none. All that the
 * build knows must be there, and nothing on its tables may refuse rows which it considers good.
 */
export function checkAhead(manifest: Manifest, live: readonly SchemaObject[], minEpoch: number): AheadCheck {
  const columns = new Set(manifest.objects.filter((o) => o.kind === 'column').map((o) => `${o.table}.${o.name}`));
  const reasons = findings(manifest.objects, live)
    .filter((one) => (one.severity === 'fatal' ? !isHarmless(one) : restricts(one, columns)))
    .map((one) => one.difference);
  if (minEpoch > manifest.epoch) {
    const [expected, found] = [`at most ${manifest.epoch}`, String(minEpoch)];
    reasons.unshift({ object: 'schema epoch', kind: 'different', expected, found, command: 'deploy a newer build' });
  }
  return { compatible: reasons.length === 0, reasons };
}

/** A newer release may improve a function behind its signature, and append columns to a view. */
function isHarmless({ expected, found }: Finding): boolean {
  if (expected === undefined || found === undefined) return false;
  if (expected.kind === 'function') return expected.definition === found.definition;
  return expected.kind === 'view' && found.definition.startsWith(`${expected.definition.slice(0, -1)}, `);
}

/** A foreign key binds an older build only through columns it writes. */
function restricts({ difference, found }: Finding, columns: Set<string>): boolean {
  if (difference.kind !== 'extra' || found === undefined) return false;
  if (found.kind !== 'foreign key') return RESTRICTING.has(found.kind);
  const local = /^FOREIGN KEY \((.+?)\) REFERENCES/.exec(found.definition)?.[1] ?? '';
  return local.split(', ').some((column) => columns.has(`${found.table}.${column.replaceAll('"', '')}`));
}
