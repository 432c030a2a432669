#!/usr/bin/env node
// Replays the Dockerfile where no container engine is: its steps in order, each stage in a bare root file system of its
// own (unshare, chroot), then the last stage's command as user `node` on a read-only tree, as PID 1.
//   DATABASE_URL=postgresql://... node scripts/docker-dry-run.mjs [--reuse-packages] [--keep]
// Without DATABASE_URL it only builds. --reuse-packages takes the packages of this clone instead of installing them.
// What it cannot show: layers, the base image itself, and the registry. Needs Linux, and root to become `node`.
import { spawnSync } from 'node:child_process';
import {
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, posix, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { ignoredBy, parseDockerfile, words } from './docker/dockerfile.mjs';
import { makeRoot, nodeImage, runIn, spawnIn } from './docker/root-file-system.mjs';
import { root } from './node-runtime.mjs';

const { values } = parseArgs({
  options: { 'reuse-packages': { type: 'boolean' }, keep: { type: 'boolean' } },
});
const work = mkdtempSync(join(tmpdir(), 'parley-image-'));
const image = join(work, 'usr-local');
const ignored = ignoredBy(readFileSync(join(root, '.dockerignore'), 'utf8'));
const note = (text) => process.stderr.write(`${text}\n`);
try {
  nodeImage(image);
  const stages = new Map();
  let stage;
  for (const parsed of parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'))) {
    stage = await replay(parsed, stages);
    stages.set(parsed.name, stage);
  }
  const report = {
    bytes: Number(
      spawnSync('du', ['-sb', join(stage.folder, stage.cwd)])
        .stdout.toString()
        .split('\t')[0],
    ),
  };
  if (process.env.DATABASE_URL) Object.assign(report, await start(stage));
  console.log(JSON.stringify(report, null, 2));
} finally {
  if (values.keep) note(`kept in ${work}`);
  else rmSync(work, { recursive: true, force: true });
}

async function replay({ name, from, steps }, stages) {
  const folder = join(work, `stage-${name}`);
  makeRoot(folder);
  const stage = { folder, cwd: '/', env: {}, user: 'root', command: [], health: undefined };
  note(`FROM ${from} (${name})`);
  for (const { instruction, text, flags } of steps) {
    note(`  ${instruction} ${text}`);
    switch (instruction) {
      case 'WORKDIR':
        stage.cwd = posix.resolve(stage.cwd, text);
        mkdirSync(join(folder, stage.cwd), { recursive: true });
        break;
      case 'ENV':
        for (const pair of words(text)) stage.env[pair.split('=')[0]] = pair.slice(pair.indexOf('=') + 1);
        break;
      case 'COPY':
        copy(stage, words(text), flags.from && stages.get(flags.from).folder);
        break;
      case 'RUN':
        if (values['reuse-packages'] && /^npm ci\b/.test(text)) reusePackages(stage);
        else
          await runIn({
            folder,
            image,
            cwd: stage.cwd,
            env: stage.env,
            command: ['sh', '-c', text],
            stdio: ['ignore', 2, 2],
          });
        break;
      case 'USER':
        stage.user = text;
        break;
      case 'HEALTHCHECK':
        stage.health = JSON.parse(text.replace(/^CMD\s+/, ''));
        break;
      case 'CMD':
        stage.command = words(text);
        break;
      case 'EXPOSE':
      case 'STOPSIGNAL':
        break;
      default:
        throw new Error(`${instruction}: not known here`);
    }
  }
  return stage;
}

/** COPY: a folder gives its content, a file goes into a target that ends in a slash. The context passes .dockerignore. */
function copy(stage, paths, from) {
  const target = paths.pop();
  const to = join(stage.folder, posix.resolve(stage.cwd, target));
  for (const path of paths) {
    const source = join(from ?? root, path);
    if (!existsSync(source)) throw new Error(`COPY ${path}: no such file`);
    const isFolder = statSync(source).isDirectory();
    const filter = from ? () => true : (file) => file === root || !ignored(relative(root, file));
    cpSync(source, isFolder || !target.endsWith('/') ? to : join(to, basename(path)), {
      recursive: true,
      preserveTimestamps: true,
      verbatimSymlinks: true,
      filter,
    });
  }
  if (process.getuid() === 0) chownSync(to, 0, 0);
}

/** The packages of this clone that the stage's lock file names. */
function reusePackages(stage) {
  const target = join(stage.folder, stage.cwd);
  const { packages } = JSON.parse(readFileSync(join(target, 'package-lock.json'), 'utf8'));
  const whole = packages[''].workspaces !== undefined;
  const names = whole ? ['node_modules'] : Object.keys(packages).filter((path) => path.startsWith('node_modules/'));
  for (const name of names) {
    if (!existsSync(join(root, name))) continue;
    mkdirSync(join(target, name, '..'), { recursive: true });
    const { status } = spawnSync('cp', ['-al', join(root, name), join(target, name)]);
    if (status !== 0) spawnSync('cp', ['-a', join(root, name), join(target, name)]);
  }
  // Newer than the lock file, as after an installation; a file of its own, so that the clone keeps its date.
  const installed = join(target, 'node_modules/.package-lock.json');
  if (!existsSync(installed)) return;
  rmSync(installed);
  copyFileSync(join(root, 'node_modules/.package-lock.json'), installed);
}

/** Boots the image on DATABASE_URL, asks its own health check, stops it; answers what was seen. */
async function start({ folder, cwd, env, user, command, health }) {
  const port = await freePort();
  const settings = {
    ...env,
    PORT: String(port),
    DATABASE_URL: process.env.DATABASE_URL,
    APP_SECRET: 'x'.repeat(32),
    DRAIN_WAIT_MS: '0',
  };
  const place = { folder, image, cwd, readOnly: true, user: user === 'node' ? 1000 : 0 };
  const server = spawnIn({
    ...place,
    env: { ...settings, MEDIA_DIR: '/data/media' },
    command,
    stdio: ['ignore', 'pipe', 2],
  });
  let log = '';
  server.stdout.on('data', (chunk) => (log += chunk));
  const exited = new Promise((resolve) => server.once('exit', (code, signal) => resolve(code ?? signal)));
  try {
    const began = performance.now();
    while (
      (await fetch(`http://127.0.0.1:${port}/ready`).then(
        (r) => r.status,
        () => 0,
      )) !== 200
    ) {
      if (server.exitCode !== null || performance.now() - began > 60_000) throw new Error(`not ready:\n${log}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const pid = pidOf(server.pid);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    await runIn({ ...place, env: settings, command: health });
    const writes = await runIn({ ...place, command: ['sh', '-c', ': > written'], stdio: 'ignore' }).then(
      () => true,
      () => false,
    );
    process.kill(pid, 'SIGTERM');
    return {
      uid: Number(/^Uid:\s+(\d+)/m.exec(status)[1]),
      pid: Number(/^NSpid:.*\s(\d+)$/m.exec(status)[1]),
      writes,
      healthy: true,
      exitCode: await exited,
    };
  } finally {
    // Who became another user is no longer told that its parent has died.
    const pid = pidOf(server.pid);
    if (pid) process.kill(pid, 'SIGKILL');
    server.kill('SIGKILL');
  }
}

/** `unshare --fork` has one child: the process that is PID 1 inside. 0 when it is gone. */
function pidOf(parent) {
  try {
    return Number(readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim());
  } catch {
    return 0;
  }
}

function freePort() {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.listen(0, () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
