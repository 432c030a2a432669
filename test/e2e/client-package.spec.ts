import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createTestApp, type TestApp } from '../support/app.js';
import { root, temporaryFolder } from '../support/server-process.js';

const run = promisify(execFile);
const tsc = join(root, 'node_modules/typescript7/bin/tsc');

describe('the published client', () => {
  let parley: TestApp;
  let project: Awaited<ReturnType<typeof temporaryFolder>>;
  let snippets: string[];
  const inProject = (args: string[], environment: Record<string, string> = {}) =>
    run(process.execPath, args, { cwd: project.path, env: { ...process.env, NODE_OPTIONS: '', ...environment } });

  /** A project that holds the packed client and nothing of this repository's sources. */
  beforeAll(async () => {
    parley = await createTestApp();
    project = await temporaryFolder();
    await run(process.execPath, [tsc, '-p', 'client/tsconfig.build.json'], { cwd: root });
    await run('npm', ['pack', '--pack-destination', project.path], { cwd: join(root, 'client') });
    const installed = join(project.path, 'node_modules/@parley/client');
    await mkdir(installed, { recursive: true });
    await run('tar', ['xzf', join(project.path, 'parley-client-0.1.0.tgz'), '-C', installed, '--strip-components=1']);
    // Its one dependency, and the types of the platform and of React, as an installation would bring them.
    await mkdir(join(project.path, 'node_modules/@types'));
    for (const name of ['socket.io-client', 'react', '@types/node', '@types/react']) {
      await symlink(join(root, 'node_modules', name), join(project.path, 'node_modules', name));
    }
    const readme = await readFile(join(installed, 'README.md'), 'utf8');
    snippets = [...readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);
    await cp(join(root, 'client/examples'), join(project.path, 'examples'), { recursive: true });
    await writeFile(join(project.path, 'package.json'), JSON.stringify({ name: 'stranger', type: 'module' }));
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
    const { stdout } = await run('tar', ['tzf', join(project.path, 'parley-client-0.1.0.tgz')]);
    const files = stdout.trim().split('\n');
    expect(files.filter((file) => !/^package\/(dist\/|README\.md$|package\.json$|LICENSE$)/.test(file))).toEqual([]);
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
    expect(Object.keys(metafile.inputs).some((input) => input.includes('client/dist/parley.js'))).toBe(true);
  });
});
