import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { packageRoot } from '../../src/platform/config/package-root.js';

/** Tells which Node runs it and which signals it gets; the second one of them would end it with another code. */
const server = `
let signals = 0;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    if (++signals > 1) process.exit(99);
    console.log('got', name);
    setTimeout(() => process.exit(42), 600); // longer than the repetition of a signal may take
  });
}
setInterval(() => {}, 1000);
console.log('serving under', process.versions.node.split('.')[0]);
`;

let clone: string;
const write = (file: string, text: string): void => writeFileSync(join(clone, file), text);

/** A clone whose server is the one above; everything else is the project's own. */
beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'parley-clone-'));
  for (const part of [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'prisma.config.ts',
    'prisma',
    'scripts',
  ]) {
    cpSync(join(packageRoot(), part), join(clone, part), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(packageRoot(), 'node_modules'), join(clone, 'node_modules'));
  mkdirSync(join(clone, 'src'));
  write('src/main.ts', server);
  write('src/extra.ts', 'export {};');
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

class Command {
  output = '';
  private readonly process: ChildProcess;

  constructor(script: string, options: readonly string[] = []) {
    this.process = spawn(process.execPath, [...options, join('scripts', script)], { cwd: clone, detached: true });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk;
        this.process.emit('said');
      });
    }
    this.process.once('close', () => this.process.emit('said'));
  }

  async said(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.process.exitCode !== null) throw new Error(`ended without "${text}": ${this.output}`);
      await once(this.process, 'said');
    }
  }

  /** Signals the whole group, as a terminal does. */
  signal(name: NodeJS.Signals): void {
    if (this.process.pid) process.kill(-this.process.pid, name);
  }

  async exit(): Promise<number | null> {
    if (this.process.exitCode === null) await once(this.process, 'close');
    return this.process.exitCode;
  }
}

const run = async (script: string, options: readonly string[] = []): Promise<Command> => {
  const command = new Command(script, options);
  await command.exit();
  return command;
};

describe('npm start', () => {
  it('prepares what is missing, runs the server under Node 24, passes each signal once, keeps its exit code', async () => {
    const start = new Command('start.mjs');
    await start.said('serving under 24');
    expect(start.output).toMatch(/^✓ generate database client \(\d+\.\d s\)$/m);
    expect(start.output).toMatch(/^✓ build server \(\d+\.\d s\)$/m);
    start.signal('SIGINT');
    start.signal('SIGINT'); // npm passes on what the terminal has sent already
    expect(await start.exit()).toBe(42);
    expect(start.output.match(/got SIGINT/g)).toHaveLength(1);
  });

  it('does nothing twice, and only what changed', async () => {
    await run('build.mjs');
    expect((await run('build.mjs')).output).toBe('');
    write('src/extra.ts', 'export {};'); // touched, but the same
    expect((await run('build.mjs')).output).toBe('');
    write('src/extra.ts', 'export const changed = true;');
    expect((await run('build.mjs')).output).toMatch(/^✓ build server \(\d+\.\d s\)\n$/);
    expect(existsSync(join(clone, 'dist/extra.js'))).toBe(true);
    rmSync(join(clone, 'src/extra.ts'));
    await run('build.mjs');
    expect(existsSync(join(clone, 'dist/extra.js'))).toBe(false);
  });

  it('does not start what does not compile, and says why', async () => {
    write('src/main.ts', 'const wrong: number = "text"; export {};');
    const start = await run('start.mjs');
    expect(await start.exit()).toBe(1);
    expect(start.output).toContain('src/main.ts(1,7)');
    expect(start.output).toContain('Failed: build server.');
  });

  it('prepares a clone once, however many commands ask for it at the same moment', async () => {
    const outputs = (await Promise.all([run('build.mjs'), run('build.mjs'), run('build.mjs')])).map(
      ({ output }) => output,
    );
    expect(outputs.join('').match(/✓ build server/g)).toHaveLength(1);
  });
});

/** Processes that work in the clone. */
const left = (): string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`) === clone;
    } catch {
      return false;
    }
  });

it('npm run dev serves, serves anew what was changed, and leaves nothing running', async () => {
  const dev = new Command('dev.mjs');
  await dev.said('serving under 24');
  write('src/main.ts', server.replace('serving under', 'serving anew under'));
  await dev.said('serving anew under 24');
  dev.signal('SIGINT');
  await dev.exit();
  while (left().length > 0) await delay(20);
});

describe('a machine on which it cannot start: one line that says what to do', () => {
  it('an old Node', async () => {
    const older = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.0' } })`;
    const start = await run('start.mjs', ['--import', older]);
    expect(await start.exit()).toBe(1);
    expect(start.output).toBe(
      'Parley needs Node 20 or newer (this is 18.20.0): install one from nodejs.org, then start again.\n',
    );
  });

  /** Files in which not even root may write: one is always full, the other belongs to the kernel. */
  it.each([
    ['a full disk', '/dev/full', /^The disk is full: free some space for .*, then start again\.$/m],
    [
      'no right to write',
      '/proc/sys/kernel/ostype',
      /^No permission to write in .*: start as the owner of that folder/m,
    ],
  ])('%s', async (_what, file, line) => {
    mkdirSync(join(clone, 'dist'));
    symlinkSync(file, join(clone, 'dist/extra.js'));
    const build = await run('build.mjs');
    expect(await build.exit()).toBe(1);
    expect(build.output.trimEnd().split('\n').at(-1)).toMatch(line);
  });
});

it('parley says what to do before anything is built', async () => {
  const parley = await run('parley.mjs');
  expect(await parley.exit()).toBe(2);
  expect(parley.output).toBe('Parley is not built yet: run `npm run build` first.\n');
});
