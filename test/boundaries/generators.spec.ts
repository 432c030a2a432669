import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { packageRoot } from '../../src/platform/config/package-root.js';

const settings = ['package.json', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json', 'jest.config.mjs'];
const files = ['module.ts', 'service.ts', 'service.spec.ts', 'controller.ts'].map(
  (kind) => `src/modules/stickers/stickers.${kind}`,
);

let tree: string;

/** Runs a program of the project in the copy, under the Node of this test. */
function run(program: string, ...args: string[]): string {
  const bin = join(tree, 'node_modules', '.bin');
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(tree, 'node_modules', program), ...args], {
    cwd: tree,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, NODE_OPTIONS: '' },
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}\n${stdout}${stderr}`);
  return stdout + stderr;
}

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'parley-generators-'));
  for (const part of [...settings, 'src', 'prisma', 'test/support'])
    cpSync(join(packageRoot(), part), join(tree, part), { recursive: true });
  symlinkSync(join(packageRoot(), 'node_modules'), join(tree, 'node_modules'));
});
afterAll(() => rmSync(tree, { recursive: true, force: true }));

it('a generated module fits: names, imports, build, and its spec passes under Jest', () => {
  const before = readFileSync(join(tree, 'package.json'), 'utf8');
  run('@nestjs/cli/bin/nest.js', 'generate', 'resource', 'modules/stickers', '--type', 'rest', '--crud=false');
  expect(files.filter((file) => !existsSync(join(tree, file)))).toEqual([]);
  expect(readFileSync(join(tree, 'src/app.module.ts'), 'utf8')).toContain(
    `from './modules/stickers/stickers.module.js'`,
  );
  expect(readFileSync(join(tree, 'package.json'), 'utf8')).toBe(before);
  const report = run('jest/bin/jest.js', '--selectProjects', 'unit', '-i', '--testPathPatterns', 'modules/stickers');
  expect(report).toMatch(/^Tests: +2 passed, 2 total$/m);
  run('typescript7/bin/tsc', '-p', 'tsconfig.build.json');
  expect(existsSync(join(tree, 'dist/modules/stickers/stickers.controller.js'))).toBe(true);
});
