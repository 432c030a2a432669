/** A metric in an expression, with the labels it is filtered or grouped by. */
export interface Selector {
  name: string;
  labels: string[];
}

const words = /[a-zA-Z_:][\w:]*/g;
const operators = new Set([
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
  'and',
  'or',
  'unless',
  'bool',
  'offset',
]);

/** The metrics of a PromQL expression. Every group-by label is held against every metric beside it. */
export function selectorsOf(expression: string): Selector[] {
  const grouped = [...expression.matchAll(/\b(?:by|without)\s*\(([^)]*)\)/g)].flatMap(
    ([, list = '']) => list.match(words) ?? [],
  );
  const bare = expression.replaceAll(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, ' ').replaceAll(/\[[^\]]*\]/g, ' ');
  const selectors: Selector[] = [];
  for (const [, name = '', filter] of bare.matchAll(/([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\()?/g)) {
    if (filter === '(' || operators.has(name)) continue;
    const filters = [...(filter ?? '').matchAll(/([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
    selectors.push({ name, labels: [...filters, ...grouped] });
  }
  return selectors;
}
