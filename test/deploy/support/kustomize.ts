import { join } from 'node:path';
import { yaml } from './files.js';
import { kubernetesObject, type KubernetesObject } from './kubernetes.schema.js';

type Tree = Record<string, unknown>;
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value);
// Lists that a strategic merge joins by name; all others it replaces.
const named = new Set(['containers', 'env', 'volumeMounts', 'volumes', 'ports']);

function merge(base: unknown, patch: unknown, key = ''): unknown {
  if (isTree(base) && isTree(patch)) {
    const merged = { ...base };
    for (const [name, value] of Object.entries(patch)) {
      if (value === null) delete merged[name];
      else merged[name] = name in base ? merge(base[name], value, name) : value;
    }
    return merged;
  }
  if (named.has(key) && Array.isArray(base) && Array.isArray(patch)) {
    const [left, right] = [base, patch] as { name: string }[][] as [{ name: string }[], { name: string }[]];
    return [
      ...left.map((item) => merge(item, right.find(({ name }) => name === item.name) ?? {})),
      ...right.filter(({ name }) => !left.some((item) => item.name === name)),
    ];
  }
  return patch;
}

interface Kustomization {
  resources: string[];
  patches?: { path: string }[];
  images?: { name: string; newName: string; newTag: string }[];
}

/** What `kubectl kustomize` makes of a folder, as far as ours use it: resources, merge patches, deletions, images. */
function build(folder: string): Tree[] {
  const { resources, patches = [], images = [] } = yaml(join(folder, 'kustomization.yaml')) as Kustomization;
  let objects = resources.flatMap((path) =>
    path.endsWith('.yaml') ? [yaml(join(folder, path)) as Tree] : build(join(folder, path)),
  );
  for (const { path } of patches) {
    const patch = yaml(join(folder, path)) as Tree;
    const isTarget = (object: Tree): boolean =>
      object['kind'] === patch['kind'] && (object['metadata'] as Tree)['name'] === (patch['metadata'] as Tree)['name'];
    if (!objects.some(isTarget)) throw new Error(`${folder}/${path} patches nothing`);
    objects =
      patch['$patch'] === 'delete'
        ? objects.filter((object) => !isTarget(object))
        : objects.map((object) => (isTarget(object) ? (merge(object, patch) as Tree) : object));
  }
  return objects.map((object) => {
    let written = JSON.stringify(object);
    for (const { name, newName, newTag } of images)
      written = written.replaceAll(new RegExp(`"image":"${name}:[^"]*"`, 'g'), `"image":"${newName}:${newTag}"`);
    return JSON.parse(written) as Tree;
  });
}

export const kustomize = (folder: string): KubernetesObject[] =>
  build(folder).map((object) => kubernetesObject.parse(object));
