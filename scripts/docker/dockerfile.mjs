// As much of the Dockerfile and .dockerignore languages as this repository uses; anything else is refused.

/** Stages in order: `{ name, from, steps: [{ instruction, text, flags }] }`. Continuations are joined, comments dropped. */
export function parseDockerfile(source) {
  const lines = source
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim());
  const stages = [];
  for (const line of lines) {
    const [, instruction, rest] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (!instruction) throw new Error(`not an instruction: ${line}`);
    if (instruction === 'FROM') {
      const [, from, name] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(rest) ?? [];
      stages.push({ name: name ?? String(stages.length), from, steps: [] });
      continue;
    }
    const flags = Object.fromEntries([...rest.matchAll(/--([\w-]+)=(\S+)/g)].map(([, key, value]) => [key, value]));
    stages.at(-1).steps.push({ instruction, flags, text: rest.replace(/^(--[\w-]+=\S+\s+)+/, '') });
  }
  return stages;
}

/** The words of the JSON form, of ENV or COPY. */
export const words = (text) => (text.startsWith('[') ? JSON.parse(text) : text.split(/\s+/));

/** Whether .dockerignore keeps a path (relative, with slashes) out of the build. */
export function ignoredBy(source) {
  const patterns = source
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith('#'));
  if (patterns.some((pattern) => pattern.startsWith('!')))
    throw new Error('exceptions in .dockerignore: not known here');
  const rules = patterns.map((pattern) => {
    const escaped = pattern
      .split('**/')
      .map((part) => part.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*'))
      .join('(?:.*/)?');
    return new RegExp(`^${escaped}(/|$)`);
  });
  return (path) => rules.some((rule) => rule.test(path));
}
