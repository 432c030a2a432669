import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from './support/files.js';

const run = promisify(execFile);
// Below dist/, so that the packages which are not bundled are found.
const folder = 'dist/bundle-under-test';
afterAll(() => rm(join(root, folder), { recursive: true, force: true }));

/** Loads every part that the bundle takes names from, and prints which of these names it lacks. */
const lookUp = `
  import { readdirSync, readFileSync } from 'node:fs';
  import { resolve } from 'node:path';
  const asked = [];
  for (const file of readdirSync('.')) {
    const taken = /\\{([^{}]*)\\}=await import\\("(\\.\\/[^"]+)"\\)/g;
    for (const [, names, part] of readFileSync(file, 'utf8').matchAll(taken)) {
      const found = await import(resolve(part));
      for (const name of names.split(',').map((each) => each.split(':')[0].trim()))
        asked.push({ file, part, name, there: found[name] !== undefined });
    }
  }
  console.log(JSON.stringify(asked));
  process.exit();
`;

it('whatever a dynamic import takes by name is there in the production bundle', async () => {
  await run(process.execPath, [join(root, 'scripts/build-production.mjs'), folder], { cwd: root });
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', lookUp], { cwd: join(root, folder) });
  const asked = JSON.parse(stdout) as { name: string; there: boolean }[];
  expect(asked.map(({ name }) => name)).toEqual(expect.arrayContaining(['CronJob', 'Redis', 'PgBoss', 'SSMClient']));
  expect(asked.filter(({ there }) => !there)).toEqual([]);
});
