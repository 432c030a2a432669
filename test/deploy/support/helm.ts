import { stringify } from 'yaml';
import { documents, filesIn, text, yaml } from './files.js';
import { kubernetesObject, type KubernetesObject } from './kubernetes.schema.js';

const CHART = 'deploy/helm/parley';
type Values = Record<string, unknown>;

/** The defaults with what `--set` would change, maps merged as Helm merges them. */
export function values(changes: Values = {}): Values {
  const merge = (base: Values, over: Values): Values =>
    Object.fromEntries(
      [...new Set([...Object.keys(base), ...Object.keys(over)])].map((key) => {
        const [left, right] = [base[key], over[key]];
        const both = [left, right].every((value) => typeof value === 'object' && value && !Array.isArray(value));
        return [key, both ? merge(left as Values, right as Values) : key in over ? right : left];
      }),
    );
  return merge(yaml(`${CHART}/values.yaml`) as Values, changes);
}

/** Evaluates one `{{ … }}`. */
function evaluate(expression: string, scope: Values): string {
  const [source = '', ...filters] = expression.split('|').map((part) => part.trim());
  const path = source.replace(/^toYaml /, '');
  const value = path
    .split('.')
    .filter(Boolean)
    .reduce<unknown>((object, key) => (object as Values | undefined)?.[key], scope);
  if (value === undefined) throw new Error(`no value for ${expression}`);
  let result = source.startsWith('toYaml ') ? stringify(value).trimEnd() : String(value as string | number | boolean);
  for (const filter of filters) {
    const [name, argument] = filter.split(' ');
    if (name === 'quote') result = JSON.stringify(result);
    else if (name === 'nindent') result = `\n${result.replaceAll(/^/gm, ' '.repeat(Number(argument)))}`;
    else throw new Error(`{{ ${expression} }} uses ${filter}`);
  }
  return result;
}

function render(template: string, scope: Values): string {
  const conditions = template.replaceAll(
    /^\{\{- if (\S+) \}\}\n([\s\S]*)^\{\{- end \}\}\n/gm,
    (_, condition: string, body: string) => (evaluate(condition, scope) === 'true' ? body : ''),
  );
  const loops = conditions.replaceAll(
    /^ *\{\{- range (\$\w+), (\$\w+) := (\S+) \}\}\n([\s\S]*?)^ *\{\{- end \}\}\n/gm,
    (_, key: string, value: string, path: string, body: string) => {
      const map = path
        .split('.')
        .filter(Boolean)
        .reduce<unknown>((object, part) => (object as Values)[part], scope) as Values;
      // Helm walks a map in the order of its keys.
      return Object.keys(map)
        .toSorted()
        .map((name) => render(body, { ...scope, [key]: name, [value]: map[name] }))
        .join('');
    },
  );
  return loops.replaceAll(/\{\{ (.*?) \}\}/g, (_, expression: string) => evaluate(expression, scope));
}

/**
 * What `helm template parley` makes of the chart. The templates keep to what this knows (values, toYaml, quote, nindent, one
 * `if` around a file, `range` over a map), so that they can be checked without Helm.
 */
export const helm = (changes: Values = {}): KubernetesObject[] =>
  filesIn(`${CHART}/templates`, '.yaml')
    .flatMap((file) => documents(render(text(file), { Values: values(changes), Release: { Name: 'parley' } })))
    .filter((object) => object !== null)
    .map((object) => kubernetesObject.parse(object));
