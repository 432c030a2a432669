import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root, type ServerProcess, startServerProcess, temporaryFolder } from '../support/server-process.js';

const run = promisify(execFile);
const guides = join(root, 'docs/guides');
/** Inside the project, so that a script finds the packages as it does for the reader. */
const artifacts = join(root, 'test/.artifacts');

/** Pages whose scripts and commands are run, in this order: the first administrator, made by `users`, looks at the audit log. */
const RUN = ['delivery', 'quickstart', 'rest', 'scaling', 'sdk', 'sockets', 'users', 'migrations', 'security'];
/** What is shown and not run here, marked `console not-run`: it needs another machine, a clone, hours, or other tests run it. */
const NOT_RUN = [
  'deployment: APP_SECRET=$(openssl rand -hex 32) docker compose -f deploy/compose.yaml up --build --wait single',
  'deployment: npm ci && npm run build:production',
  'migrations: export PRISMA_SCHEMA_ENGINE_BINARY=$PWD/test/support/schema-engine/schema-engine.mjs', // stock-prisma.spec.ts
  'quickstart: git clone <this repository> parley && cd parley',
  'scaling: npm run bench -- A B D --full --json bench.json',
];
/** What the pages say the reader has set. */
const environment = {
  SETUP_TOKEN: 'setup-token-setup-token-setup-token',
  HOST_JWT_SECRET: 'host-secret-host-secret-host-secret-host',
};

interface Block {
  language: 'sh' | 'js';
  code: string;
}

/** What a reader would copy, in the order of the page. Output, and commands that are only looked at, are written as `console`. */
const blocksOf = (text: string): Block[] =>
  [...text.matchAll(/^```(sh|js)\n([\s\S]*?)^```$/gm)].map(([, language, code = '']) => ({
    language: language === 'js' ? 'js' : 'sh',
    code,
  }));

/** The lines of the page's transcripts: commands behind `$`, what is printed without. */
const transcript = (text: string): string[] =>
  [...text.matchAll(/^```console\n([\s\S]*?)^```$/gm)].flatMap(([, lines = '']) => lines.split('\n'));
const commandsOf = (lines: readonly string[]): string[] =>
  lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
const outputOf = (lines: readonly string[]): string[] => lines.filter((line) => line !== '' && !/^[$#]/.test(line));

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

  /** What a reader of the commands has set: the data of this server, the administrator of `users`, the last line of the audit log. */
  async function readersEnvironment(): Promise<Record<string, string>> {
    const response = await fetch(`${server.url}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ identifier: 'root@example.com', password: 'correct horse battery' }),
    });
    const { tokens } = (await response.json()) as { tokens?: { accessToken: string } };
    const [, entries = '', hash = ''] =
      /.*"event":"audit.recorded".*"entries":"?(\d+)"?,"hash":"([\w-]+)"/s.exec(server.output()) ?? [];
    return { DATA_DIR: data.path, ADMIN_TOKEN: tokens?.accessToken ?? '', ENTRIES: entries, HASH: hash };
  }

  it.each(RUN)('%s.md does what it says', async (name) => {
    const text = await readFile(join(guides, `${name}.md`), 'utf8');
    const blocks = blocksOf(text);
    const commands = commandsOf(transcript(text));
    expect(blocks.length + commands.length).toBeGreaterThan(0);
    const folder = await mkdtemp(join(artifacts, 'guide-'));
    try {
      const script = asShellScript(blocks, folder).replaceAll('localhost:3000', `localhost:${server.port}`);
      await writeFile(join(folder, 'page.sh'), script);
      const page = await run('bash', ['--norc', '-eu', '-o', 'pipefail', join(folder, 'page.sh')], {
        cwd: root,
        env: { ...process.env, NODE_OPTIONS: '', ...environment },
        timeout: 120_000,
      });
      expect(page.stderr).toBe('');
      const asked = await run(
        'bash',
        // It reads start-up files when its input is a socket, as here, unless it is told not to.
        [
          '--norc',
          '-eu',
          '-o',
          'pipefail',
          '-c',
          commands.join('\n').replaceAll('localhost:3000', `localhost:${server.port}`),
        ],
        {
          cwd: root,
          env: { ...process.env, NODE_OPTIONS: '', ...(commands.length > 0 ? await readersEnvironment() : {}) },
          timeout: 120_000,
        },
      );
      const stdout = page.stdout + asked.stdout;
      // A refusal is shown on purpose or not at all.
      const refusals = [...stdout.matchAll(/"status":\d+,.*?"code":"(\w+)"/g)].map(([, code = '']) => code);
      expect(refusals.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
      // What the page promises to print, it prints.
      for (const line of outputOf(transcript(text))) expect(stdout).toContain(line);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('are run wherever they show a script', async () => {
    const names = (await readdir(guides)).filter((name) => name.endsWith('.md'));
    const running: string[] = [];
    const shown: string[] = [];
    for (const file of names) {
      const [name, text] = [file.replace('.md', ''), await readFile(join(guides, file), 'utf8')];
      if (blocksOf(text).length + commandsOf(transcript(text)).length > 0) running.push(name);
      const fences = text.split('```console not-run\n').slice(1);
      shown.push(...fences.map((fence) => `${name}: ${commandsOf(fence.split('\n'))[0]}`));
    }
    expect(running.toSorted()).toEqual(RUN.toSorted());
    expect(shown.toSorted()).toEqual(NOT_RUN);
  });
});
