import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root, type ServerProcess, startServerProcess, temporaryFolder } from '../support/server-process.js';

const run = promisify(execFile);

describe('README', () => {
  let server: ServerProcess;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let text: string;
  let blocks: { language: string; code: string }[];

  beforeAll(async () => {
    folder = await temporaryFolder();
    server = await startServerProcess({ DATA_DIR: folder.path });
    text = await readFile(join(root, 'README.md'), 'utf8');
    blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = '', code = '']) => ({
      language,
      code,
    }));
  });
  afterAll(async () => {
    await server.stop();
    await folder.remove();
  });

  /** The block as printed, but for the port. */
  const block = (language: string, contains: string): string => {
    const found = blocks.find((b) => b.language === language && b.code.includes(contains));
    if (!found) throw new Error(`README has no ${language} block with ${contains}`);
    return found.code.replaceAll('localhost:3000', `localhost:${server.port}`);
  };

  it('runs the demo', async () => {
    const { stdout } = await run('bash', ['--norc', '-ec', block('sh', 'npm run demo')], {
      cwd: root,
      env: { ...process.env, PORT: String(server.port) },
    });
    expect(stdout).toContain('Ben received it live');
    expect(stdout).toContain('nothing is doubled');
    expect(stdout).toContain('Everything worked.');
  });

  it('the commands that look at an installation find nothing wrong', async () => {
    const commands = [...text.matchAll(/^\| `(npx parley [^`]+)` \|/gm)].map(([, command = '']) => command);
    expect(commands).toContain('npx parley doctor');
    // Two people talk in command-line.spec.ts.
    for (const command of commands.filter((one) => one !== 'npx parley chat')) {
      await run('bash', ['--norc', '-ec', command.replaceAll('localhost:3000', `localhost:${server.port}`)], {
        cwd: root,
        env: { ...process.env, NODE_OPTIONS: '', DATA_DIR: folder.path },
      });
    }
  });

  it('runs the transcript, and the socket script hears it', async () => {
    const transcript = block('sh', 'auth/register');
    const said = await run(
      'bash',
      [
        '--norc',
        '-ec',
        `${transcript}\necho; echo "TOKEN=$BEN_TOKEN DEVICE=$BEN_DEVICE CONVERSATION=$CONVERSATION ADA=$ADA_TOKEN"`,
      ],
      { cwd: root },
    );
    expect(said.stdout).toContain('"deduplicated":false');
    expect(said.stdout).toContain('"deduplicated":true');
    expect(said.stdout).toContain('"hasBefore":false');
    const [, token = '', device = '', conversation = '', ada = ''] =
      /TOKEN=(\S+) DEVICE=(\S+) CONVERSATION=(\S+) ADA=(\S+)/.exec(said.stdout) ?? [];

    const artifacts = join(root, 'test/.artifacts');
    await mkdir(artifacts, { recursive: true });
    const script = join(artifacts, `readme-${server.port}.mjs`);
    await writeFile(script, block('js', 'socket.io-client'));
    const listener = spawn(process.execPath, [script], {
      env: { ...process.env, BEN_TOKEN: token, BEN_DEVICE: device },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      let heard = '';
      const until = (text: string) =>
        new Promise<void>((resolve) => {
          const look = (): void => {
            if (!heard.includes(text)) return;
            listener.stdout.off('data', look);
            resolve();
          };
          listener.stdout.on('data', look);
          look();
        });
      listener.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      await until('listening');
      await fetch(`${server.url}/api/v1/conversations/${conversation}/messages`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${ada}` },
        body: JSON.stringify({ clientId: '0190a000-0000-4000-8000-000000000001', body: 'Are you there?' }),
      });
      await until('Are you there?');
      expect(heard).toContain('message');
    } finally {
      listener.kill();
      await rm(script);
    }
  });
});
