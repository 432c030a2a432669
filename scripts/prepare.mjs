// Plain JavaScript for Node 20: brings a clone to the state in which Parley can run, doing only what is not done yet.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { adviceFor, fail, node24, root } from './node-runtime.mjs';
import { changed, remember } from './stamp.mjs';
import { withPrepareLock } from './prepare-lock.mjs';

const path = (...parts) => join(root, ...parts);

/** Installs, generates and builds what is missing or older than its sources. One line per step that had to be done. */
export async function prepare() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    fail(
      `Parley needs Node 20 or newer (this is ${process.versions.node}): install one from nodejs.org, then start again.`,
    );
  }
  try {
    await withPrepareLock(async () => {
      for (const step of steps) await runStep(step);
    });
  } catch (error) {
    fail(adviceFor(error) ?? error.message);
  }
}

const steps = [
  {
    name: 'install packages',
    needed: () => !existsSync(path('node_modules/.package-lock.json')) || isOutdated(),
    run: () => npm(['ci', '--include=dev', '--no-audit', '--no-fund']),
  },
  {
    name: 'generate database client',
    inputs: ['prisma/schema.prisma', 'prisma/models', 'prisma.config.ts', 'package-lock.json'],
    output: 'src/generated/prisma',
    run: () => node(['node_modules/prisma/build/index.js', 'generate'], { CHECKPOINT_DISABLE: '1' }),
  },
  // Before the server: the command line is one of its users.
  workspace('client', ['client', 'package-lock.json']),
  {
    name: 'build server',
    inputs: ['src', 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'],
    ignore: /\.spec\.ts$/,
    output: 'dist/main.js',
    run: buildServer,
  },
  {
    name: 'pack API reference',
    inputs: ['package-lock.json'],
    output: 'dist/docs/api-reference.js.gz',
    run: packReference,
  },
  workspace('web', ['web', 'client', 'package-lock.json']),
];

/** A workspace is built when it has a build script. */
function workspace(name, inputs) {
  const script = () => JSON.parse(readFileSync(path(name, 'package.json'), 'utf8')).scripts?.build;
  return {
    name: `build ${name}`,
    inputs,
    ignore: /(^|\/)(dist|node_modules)\//,
    output: `${name}/dist`,
    skip: () => !existsSync(path(name, 'package.json')) || !script(),
    run: () => npm(['run', 'build', '--workspace', name]),
  };
}

async function runStep(step) {
  if (step.skip?.()) return;
  const stamp = step.inputs && changed(step);
  if (step.needed ? !step.needed() : !stamp && existsSync(path(step.output))) return;
  const began = performance.now();
  if (process.stderr.isTTY) process.stderr.write(`… ${step.name}`);
  const { code, output } = await step.run();
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  if (code !== 0) {
    process.stderr.write(`${output.trimEnd()}\n`);
    throw new Error(adviceFor(output) ?? `Failed: ${step.name}. The reason stands above.`);
  }
  if (step.inputs) remember(step);
  process.stderr.write(`✓ ${step.name} (${((performance.now() - began) / 1000).toFixed(1)} s)\n`);
}

/** Whether the lock file changed after the installation, whoever made that. */
function isOutdated() {
  return statSync(path('package-lock.json')).mtimeMs > statSync(path('node_modules/.package-lock.json')).mtimeMs;
}

/** The compiler never deletes: what has lost its source goes, or it would still be imported. */
async function buildServer() {
  const result = await node(['node_modules/typescript7/bin/tsc', '-p', 'tsconfig.build.json', '--noEmitOnError']);
  if (result.code !== 0) return result;
  for (const entry of readdirSync(path('dist'), { recursive: true })) {
    const source = entry.replace(/\.js(\.map)?$/, '.ts');
    if (source !== entry && !existsSync(path('src', source))) rmSync(path('dist', entry));
  }
  return result;
}

/** Scalar's page script, as the server sends it: the only file of that package which is used. */
function packReference() {
  const script = readFileSync(path('node_modules/@scalar/api-reference/dist/browser/standalone.js'));
  mkdirSync(path('dist/docs'), { recursive: true });
  writeFileSync(path('dist/docs/api-reference.js.gz'), gzipSync(script, { level: 9 }));
  return { code: 0, output: '' };
}

const node = (args, env = {}) => capture(node24(), args, { ...process.env, ...env });

/** npm itself stays on the Node it was started with: `npm ci` deletes the one among the packages. */
function npm(args) {
  const { npm_execpath: cli, npm_node_execpath: interpreter } = process.env;
  if (cli && interpreter && existsSync(interpreter)) return capture(interpreter, [cli, ...args], withoutLocalBin());
  return capture(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, withoutLocalBin());
}

function withoutLocalBin() {
  const own = path('node_modules', '.bin');
  const PATH = (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== own)
    .join(delimiter);
  return { ...process.env, PATH };
}

function capture(command, args, env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => resolve({ code: 1, output: `${command}: ${error.message}` }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
