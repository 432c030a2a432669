import { execFile } from 'node:child_process';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createTestApp, type TestApp } from '../support/app.js';
import { startLocalRegistry } from '../support/local-registry.js';
import { root, temporaryFolder } from '../support/server-process.js';

const run = promisify(execFile);
const tsc = join(root, 'node_modules/typescript7/bin/tsc');

describe('the published client', () => {
  let parley: TestApp;
  let project: Awaited<ReturnType<typeof temporaryFolder>>;
  let registry: Awaited<ReturnType<typeof startLocalRegistry>>;
  let snippets: string[];
  const inProject = (args: string[], environment: Record<string, string> = {}) =>
    run(process.execPath, args, { cwd: project.path, env: { ...process.env, NODE_OPTIONS: '', ...environment } });

  /** npm as a stranger has it: nothing of this machine's or of this run's configuration. */
  const npm = (args: string[]) =>
    run('npm', [...args, '--registry', registry.url, '--cache', join(project.path, '.cache')], {
      cwd: project.path,
      env: {
        ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$/i.test(name))),
        NPM_CONFIG_USERCONFIG: join(project.path, 'no-npmrc'),
        NPM_CONFIG_UPDATE_NOTIFIER: 'false',
      },
    });

  /** An empty project into which npm installed the client by its name, with what it declares, and nothing of this repository. */
  beforeAll(async () => {
    parley = await createTestApp();
    project = await temporaryFolder();
    await run(process.execPath, [tsc, '-p', 'client/tsconfig.build.json'], { cwd: root });
    registry = await startLocalRegistry({ '@parley/client': join(root, 'client') });
    await writeFile(join(project.path, 'package.json'), JSON.stringify({ name: 'stranger', type: 'module' }));
    await npm(['install', '--no-audit', '--no-fund', '@parley/client', 'react', '@types/react', '@types/node']);
    const installed = join(project.path, 'node_modules/@parley/client');
    const readme = await readFile(join(installed, 'README.md'), 'utf8');
    snippets = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
    await cp(join(root, 'client/examples'), join(project.path, 'examples'), { recursive: true });
    await Promise.all(snippets.map((code, i) => writeFile(join(project.path, `snippet-${i}.ts`), code)));
    await writeFile(
      join(project.path, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          module: 'nodenext',
          target: 'ES2022',
          strict: true,
          noEmit: true,
          types: ['node'],
          jsx: 'react-jsx',
          lib: ['ES2023', 'DOM'],
          exactOptionalPropertyTypes: true,
          skipLibCheck: false,
        },
        include: ['*.ts', 'examples'],
      }),
    );
  });
  afterAll(async () => {
    await parley.close();
    await registry.stop();
    await project.remove();
  });

  it('type-checks in a strict project: every snippet of its README, and the examples', async () => {
    expect(snippets.length).toBe(3);
    await expect(inProject([tsc, '-p', '.'])).resolves.toMatchObject({ stdout: '' });
  });

  it('does what the ten lines say', async () => {
    const code = (snippets[0] ?? '').replaceAll('http://localhost:3000', parley.url);
    await writeFile(join(project.path, 'ten-lines.ts'), code);
    const { stdout } = await inProject(['--disable-warning=ExperimentalWarning', 'ten-lines.ts']);
    expect(stdout).toBe('Ben received: Hello Ben!\n');
  });

  it('carries no sources, no tests, and nothing of Node in its main entry', async () => {
    const files = await readdir(join(project.path, 'node_modules/@parley/client'), { recursive: true });
    expect(files).toContain('dist/index.js');
    expect(files.filter((file) => !/^(dist$|dist\/|README\.md$|package\.json$|LICENSE$)/.test(file))).toEqual([]);
    expect(files.filter((file) => file.includes('.spec.'))).toEqual([]);
    const { metafile } = await (
      await import('esbuild')
    ).build({
      stdin: { contents: "export * from '@parley/client'", resolveDir: project.path },
      bundle: true,
      write: false,
      metafile: true,
      platform: 'browser',
      format: 'esm',
      logLevel: 'silent',
    });
    expect(Object.keys(metafile.inputs).some((input) => input.includes('@parley/client/dist/parley.js'))).toBe(true);
  });
});
