import type { ClientBase } from 'pg';

import { isRepairable } from './difference-command.js';
import { objectLabel } from './manifest.js';
import type { Manifest, ObjectKind, SchemaObject } from './manifest.js';
import { matchObjects } from './manifest-match.js';
import type { Pair } from './manifest-match.js';
import { countRows, findObstacle } from './repair-obstacles.js';
import * as make from './repair-statements.js';
import type { RepairPlan, RepairRefusal, RepairStatement } from './repair-types.js';

/** In this order everything an object needs exists before it. */
const STEPS = [
  'extension',
  'enum',
  'sequence',
  'function',
  'table',
  'column',
  'attach',
  'key',
  'index',
  'rule',
  'late function',
  'view',
  'trigger',
] as const;
type Step = (typeof STEPS)[number];

/** They share one space of names; `IF NOT EXISTS` would take a stranger for ours. */
const RELATIONS: ReadonlySet<ObjectKind> = new Set([
  'table',
  'view',
  'sequence',
  'primary key',
  'unique',
  'exclusion',
  'unique index',
  'index',
]);

/** A value every row may get: it says nothing that somebody once entered. */
const CONSTANT = /^(?:'(?:[^']|'')*'|\(?-?[\d.]+\)?|true|false|NULL|ARRAY\[\])(?:::[\w" .[\](),]+)?$/i;

const isLeftover = (found: SchemaObject, key: SchemaObject): boolean =>
  found.kind === 'unique index' && found.table === key.table && found.name === key.name && found.valid === false;

/** Compares and lists what to add. Needs `search_path` to be the schema. */
export async function makePlan(client: ClientBase, manifest: Manifest, live: SchemaObject[]): Promise<RepairPlan> {
  const { pairs, missing } = matchObjects(manifest.objects, live);
  const builder = new PlanBuilder(client, manifest, missing, live);
  for (const object of builder.wanted) await builder.add(object);
  for (const pair of pairs) await builder.mend(pair);
  return builder.plan();
}

class PlanBuilder {
  /** What is missing, members of missing tables included. */
  readonly wanted: SchemaObject[];
  private readonly created: Set<string>;
  private readonly steps = new Map<Step, RepairStatement[]>();
  private readonly refused: RepairRefusal[] = [];

  constructor(
    private readonly client: ClientBase,
    private readonly manifest: Manifest,
    missing: SchemaObject[],
    private readonly live: SchemaObject[],
  ) {
    const relations = missing.filter(({ kind }) => kind === 'table' || kind === 'view');
    this.created = new Set(relations.map(({ name }) => name));
    this.wanted = [...missing, ...manifest.objects.filter(({ table }) => this.created.has(table))];
  }

  plan(): RepairPlan {
    return {
      statements: STEPS.flatMap((step) => this.steps.get(step) ?? []),
      refused: this.refused,
      createdTables: this.wanted.filter(({ kind }) => kind === 'table').map(({ name }) => name),
    };
  }

  async add(object: SchemaObject): Promise<void> {
    if (!isRepairable(object.kind)) return this.refuse(object, 'not additive: it restricts what is there');
    const holder = this.holderOfName(object);
    if (holder !== undefined) return this.refuse(object, `its name is taken by ${objectLabel(holder)}`);
    const fresh = this.created.has(object.table);
    switch (object.kind) {
      case 'extension':
        return this.push('extension', make.addExtension(object));
      case 'enum':
        return this.push('enum', make.addEnum(object));
      case 'sequence':
        this.push('sequence', make.addAsWritten(object));
        return this.push('attach', make.attachSequence(object, this.usersOf(object)));
      case 'function':
        return this.push(this.namesATable(object) ? 'late function' : 'function', make.addAsWritten(object));
      case 'table':
        return this.addTable(object);
      case 'column':
        return fresh ? undefined : this.addColumn(object);
      case 'view':
        return this.push('view', make.addAsWritten(object));
      case 'trigger':
        return this.push('trigger', make.addTrigger(object));
      case 'primary key':
      case 'unique':
        return this.addUnlessObstacle('key', object, fresh, this.keyStatements(object, fresh));
      case 'check':
      case 'foreign key':
        return this.addUnlessObstacle('rule', object, fresh, make.addRule(object, fresh));
      default:
        return this.addUnlessObstacle('index', object, fresh, make.addIndex(object, fresh));
    }
  }

  /** What exists but lacks something that can be added: enum labels, a default, validity. */
  async mend({ expected, found }: Pair): Promise<void> {
    if (expected.kind === 'enum') return this.push('enum', make.addEnumLabels(expected, found));
    if (expected.kind === 'sequence' && found.definition === '' && expected.definition !== '') {
      return this.push('attach', make.attachSequence(expected, []));
    }
    if (expected.definition !== found.definition) return;
    if (expected.kind === 'column' && expected.default !== undefined && found.default === undefined) {
      return this.push('attach', make.setDefault(expected));
    }
    if (expected.valid === false || found.valid !== false) return;
    const rule = expected.kind === 'check' || expected.kind === 'foreign key';
    const statements = rule ? make.validateRule(found) : make.rebuildIndex(found);
    await this.addUnlessObstacle(rule ? 'rule' : 'index', expected, false, statements);
  }

  private push(step: Step, statements: RepairStatement[]): void {
    this.steps.set(step, [...(this.steps.get(step) ?? []), ...statements]);
  }

  private refuse(object: SchemaObject, reason: string, rows = 0): void {
    this.refused.push({ object: objectLabel(object), reason, rows, query: '' });
  }

  private async addUnlessObstacle(
    step: Step,
    object: SchemaObject,
    fresh: boolean,
    statements: RepairStatement[],
  ): Promise<void> {
    const obstacle = fresh || this.dependsOnMissing(object) ? undefined : await findObstacle(this.client, object);
    if (obstacle === undefined) this.push(step, statements);
    else this.refused.push(obstacle);
  }

  /** Rows cannot be counted over what is not there yet; the statement itself then decides. */
  private dependsOnMissing(object: SchemaObject): boolean {
    const names = (text: string): Set<string> => new Set(text.match(/\w+/g));
    const used = names(object.definition);
    return this.wanted.some(({ kind, name, table }) => {
      if (kind === 'table') return used.has(name);
      return kind === 'column' && used.has(name) && (table === object.table || object.kind === 'foreign key');
    });
  }

  private addTable(table: SchemaObject): void {
    if (table.definition !== 'table' && table.definition !== 'unlogged table') {
      return this.refuse(table, `a ${table.definition} has to be recreated by hand`);
    }
    const columns = this.manifest.objects.filter((o) => o.kind === 'column' && o.table === table.name);
    this.push('table', make.addTable(table, columns));
  }

  private async addColumn(column: SchemaObject): Promise<void> {
    const { definition, default: value, notNull } = column;
    const harmless =
      definition.includes(' GENERATED ALWAYS AS (') ||
      (value === undefined ? !notNull && !definition.includes(' AS IDENTITY') : CONSTANT.test(value));
    if (harmless) return this.push('column', make.addColumn(column));
    const rows = await countRows(this.client, column.table);
    if (rows === 0) return this.push('column', make.addColumn(column));
    if (notNull) return this.refuse(column, 'rows would need a value that nobody knows', rows);
    // Old rows stay empty: the default is for new ones.
    const { default: _, ...bare } = column;
    this.push('column', [...make.addColumn(bare), ...make.setDefault(column)]);
  }

  /** An earlier concurrent build that died has left its index, invalid: `IF NOT EXISTS` would accept it. */
  private keyStatements(key: SchemaObject, fresh: boolean): RepairStatement[] {
    const statements = make.addKey(key, fresh);
    return this.live.some((o) => isLeftover(o, key)) ? [...make.rebuildIndex(key), ...statements] : statements;
  }

  private holderOfName(object: SchemaObject): SchemaObject | undefined {
    if (!RELATIONS.has(object.kind)) return undefined;
    return this.live.find((o) => RELATIONS.has(o.kind) && o.name === object.name && !isLeftover(o, object));
  }

  private usersOf(sequence: SchemaObject): SchemaObject[] {
    const calls = [`nextval('${sequence.name}'::regclass)`, `nextval('"${sequence.name}"'::regclass)`];
    const columns = this.manifest.objects.filter(
      ({ kind, default: value }) => kind === 'column' && calls.includes(value ?? ''),
    );
    return columns.filter(({ table }) => !this.created.has(table));
  }

  private namesATable({ definition }: SchemaObject): boolean {
    const words = new Set(definition.match(/\w+/g));
    return this.manifest.objects.some(({ kind, name }) => kind === 'table' && words.has(name));
  }
}
