import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root, type ServerProcess, startServerProcess, temporaryFolder } from '../support/server-process.js';

const run = promisify(execFile);
const guides = join(root, 'docs/guides');
/** Inside the project, so that a script finds the packages as it does for the reader. */
const artifacts = join(root, 'test/.artifacts');

/** Pages whose scripts are run; every page that shows one is among them. */
const RUN = ['delivery', 'quickstart', 'rest', 'sdk', 'sockets', 'users'];
/** What the pages say the reader has set. */
const environment = {
  SETUP_TOKEN: 'setup-token-setup-token-setup-token',
  HOST_JWT_SECRET: 'host-secret-host-secret-host-secret-host',
};

interface Block {
  language: 'sh' | 'js';
  code: string;
}

/** What a reader would copy, in the order of the page. Output, and what needs another machine, is written as `console`. */
const blocksOf = (text: string): Block[] =>
  [...text.matchAll(/^```(sh|js)\n([\s\S]*?)^```$/gm)].map(([, language, code = '']) => ({
    language: language === 'js' ? 'js' : 'sh',
    code,
  }));

/** One shell runs the page from top to bottom; a script is a file beside it, so that exported variables reach it. */
const asShellScript = (blocks: readonly Block[], folder: string): string =>
  blocks
    .map(({ language, code }, i) =>
      language === 'sh' ? code : `cat > ${folder}/${i}.mjs <<'SCRIPT'\n${code}SCRIPT\nnode ${folder}/${i}.mjs\n`,
    )
    .join('');

describe('guides', () => {
  let server: ServerProcess;
  let data: Awaited<ReturnType<typeof temporaryFolder>>;

  beforeAll(async () => {
    await mkdir(artifacts, { recursive: true });
    data = await temporaryFolder();
    server = await startServerProcess({
      DATA_DIR: data.path,
      HOST_JWT_ISSUER: 'https://app.example',
      HOST_JWT_AUDIENCE: 'parley',
      ...environment,
    });
  });
  afterAll(async () => {
    await server.stop();
    await data.remove();
  });

  it.each(RUN)('%s.md does what it says', async (name) => {
    const text = await readFile(join(guides, `${name}.md`), 'utf8');
    const blocks = blocksOf(text);
    expect(blocks.length).toBeGreaterThan(0);
    const folder = await mkdtemp(join(artifacts, 'guide-'));
    try {
      const script = asShellScript(blocks, folder).replaceAll('localhost:3000', `localhost:${server.port}`);
      await writeFile(join(folder, 'page.sh'), script);
      const { stdout, stderr } = await run('bash', ['-eu', '-o', 'pipefail', join(folder, 'page.sh')], {
        cwd: root,
        env: { ...process.env, NODE_OPTIONS: '', ...environment },
        timeout: 120_000,
      });
      expect(stderr).toBe('');
      // A refusal is shown on purpose or not at all.
      const refusals = [...stdout.matchAll(/"status":\d+,.*?"code":"(\w+)"/g)].map(([, code = '']) => code);
      expect(refusals.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
      // What the page promises to print, it prints.
      const promised = [...text.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, lines = '']) =>
        lines.split('\n').filter((line) => line !== '' && !line.startsWith('$')),
      );
      for (const line of promised) expect(stdout).toContain(line);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('are run wherever they show a script', async () => {
    const names = (await readdir(guides)).filter((name) => name.endsWith('.md'));
    const withScripts: string[] = [];
    for (const name of names) {
      if (blocksOf(await readFile(join(guides, name), 'utf8')).length > 0) withScripts.push(name.replace('.md', ''));
    }
    expect(withScripts.toSorted()).toEqual(RUN);
  });
});
