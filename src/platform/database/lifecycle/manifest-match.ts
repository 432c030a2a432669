import type { ObjectKind, SchemaObject } from './manifest.js';

export interface Pair {
  expected: SchemaObject;
  found: SchemaObject;
}

export interface Matching {
  pairs: Pair[];
  missing: SchemaObject[];
  extra: SchemaObject[];
}

/** Kinds whose name is only a label: the structure says what they are. */
const STRUCTURAL: ReadonlySet<ObjectKind> = new Set([
  'primary key',
  'unique',
  'unique index',
  'index',
  'exclusion',
  'check',
  'foreign key',
]);

const isValid = (object: SchemaObject): boolean => object.valid !== false;

/**
 * Pairs what is expected with what is there: first the same in name and structure, then in structure alone, then in
 * name alone (a primary key even without that). Objects of tables that are missing or extra as a whole are left out.
 */
export function matchObjects(expected: readonly SchemaObject[], live: readonly SchemaObject[]): Matching {
  const known = relations(expected);
  const present = relations(live);
  const shared = (o: SchemaObject): boolean => o.table === '' || (known.has(o.table) && present.has(o.table));
  const groups = groupByHome(expected.filter(shared), live.filter(shared));
  const result: Matching = { pairs: [], missing: [], extra: [] };
  for (const group of groups.values()) matchGroup(group.expected, group.live, result);
  return result;
}

const relations = (objects: readonly SchemaObject[]): Set<string> =>
  new Set(objects.filter((o) => o.kind === 'table' || o.kind === 'view').map((o) => o.name));

type Group = { expected: SchemaObject[]; live: SchemaObject[] };

function groupByHome(expected: SchemaObject[], live: SchemaObject[]): Map<string, Group> {
  const groups = new Map<string, Group>();
  const groupOf = (object: SchemaObject): Group => {
    const key = `${object.kind} ${object.table}`;
    const group = groups.get(key) ?? { expected: [], live: [] };
    groups.set(key, group);
    return group;
  };
  for (const object of expected) groupOf(object).expected.push(object);
  for (const object of live) groupOf(object).live.push(object);
  return groups;
}

function matchGroup(expected: SchemaObject[], live: SchemaObject[], result: Matching): void {
  const structural = STRUCTURAL.has((expected[0] ?? live[0])?.kind ?? 'table');
  const sameStructure = (e: SchemaObject, f: SchemaObject): boolean => e.definition === f.definition && isValid(f);
  const left = new Set(live);
  const pair = (e: SchemaObject, f: SchemaObject): void => {
    left.delete(f);
    result.pairs.push({ expected: e, found: f });
  };
  // Nearly always all of them: names are unique within a group.
  const byName = new Map(live.map((object) => [object.name, object]));
  let open = expected.filter((e) => {
    const found = byName.get(e.name);
    if (found === undefined || (structural && !sameStructure(e, found))) return true;
    pair(e, found);
    return false;
  });
  const pairBy = (fits: (e: SchemaObject, f: SchemaObject) => boolean): void => {
    open = open.filter((e) => {
      const found = [...left].find((f) => fits(e, f));
      if (found === undefined) return true;
      pair(e, found);
      return false;
    });
  };
  if (structural) {
    pairBy(sameStructure);
    pairBy((e, f) => e.name === f.name);
    pairBy((e) => e.kind === 'primary key');
  }
  // One index does the work of two equal ones.
  const redundant = (e: SchemaObject): boolean => structural && live.some((f) => sameStructure(e, f));
  result.missing.push(...open.filter((e) => !redundant(e)));
  result.extra.push(...left);
}
