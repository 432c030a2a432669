// A bare root file system for one stage: the machine's /usr read-only, Node 24 and npm in /usr/local as in the image that
// the Dockerfile starts from, and a user `node`. Processes run in it by unshare and chroot.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { node24 } from '../node-runtime.mjs';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const isRoot = process.getuid() === 0;
// What reaches the network from here reaches it from there.
const network = Object.fromEntries(
  Object.entries(process.env).filter(([name]) =>
    /^(https?_proxy|no_proxy|npm_config_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+)$/i.test(name),
  ),
);

/** What the base image of the Dockerfile brings in /usr/local. */
export function nodeImage(folder) {
  mkdirSync(join(folder, 'bin'), { recursive: true });
  mkdirSync(join(folder, 'lib/node_modules'), { recursive: true });
  copyFileSync(realpathSync(node24()), join(folder, 'bin/node'));
  const npm = dirname(dirname(realpathSync(spawnSync('sh', ['-c', 'command -v npm']).stdout.toString().trim())));
  cpSync(npm, join(folder, 'lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(folder, 'bin/npm'));
  if (existsSync('/etc/npmrc')) {
    mkdirSync(join(folder, 'etc'));
    copyFileSync('/etc/npmrc', join(folder, 'etc/npmrc'));
  }
}

export function makeRoot(folder) {
  for (const path of ['usr', 'proc', 'dev', 'etc/ssl', 'tmp', 'root', 'home/node'])
    mkdirSync(join(folder, path), { recursive: true });
  for (const path of ['bin', 'sbin', 'lib', 'lib64'])
    if (existsSync(`/usr/${path}`)) symlinkSync(`usr/${path}`, join(folder, path));
  for (const file of ['resolv.conf', 'hosts', 'nsswitch.conf'])
    if (existsSync(`/etc/${file}`)) copyFileSync(`/etc/${file}`, join(folder, 'etc', file));
  writeFileSync(join(folder, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n');
  writeFileSync(join(folder, 'etc/group'), 'root:x:0:\nnode:x:1000:\n');
}

/**
 * Starts a command as PID 1 of a process namespace of its own. `readOnly` forbids every write but to /dev;
 * `user` 1000 is `node` (only root can become it).
 */
export function spawnIn({
  folder,
  image,
  command,
  cwd = '/',
  env = {},
  user = 0,
  readOnly = false,
  stdio = 'inherit',
}) {
  const script = [
    'set -e',
    `mount --bind "${folder}" "${folder}"`,
    `mount --rbind -o ro /usr "${folder}/usr"`,
    `mount --bind "${image}" "${folder}/usr/local"`,
    `mount --rbind /etc/ssl "${folder}/etc/ssl"`,
    `mount --rbind /dev "${folder}/dev"`,
    `mount -t proc proc "${folder}/proc"`,
    ...(readOnly
      ? [`mount -o remount,bind,ro "${folder}" "${folder}"`, `mount -o remount,bind,ro "${folder}/usr/local"`]
      : []),
    `exec chroot ${isRoot && user ? `--userspec=${user}:${user}` : ''} "${folder}" /usr/bin/env -i "$@"`,
  ].join('\n');
  const settings = Object.entries({ PATH, HOME: user ? '/home/node' : '/root', ...network, ...env });
  const inside = ['sh', '-c', 'cd "$0" && exec "$@"', cwd, ...command];
  const unshare = [...(isRoot ? [] : ['--map-root-user']), '--mount', '--pid', '--fork', '--kill-child'];
  return spawn(
    'unshare',
    [...unshare, 'sh', '-c', script, 'sh', ...settings.map((pair) => pair.join('=')), ...inside],
    { stdio },
  );
}

/** Runs a command to its end; throws when it fails. */
export async function runIn(options) {
  const child = spawnIn(options);
  const code = await new Promise((resolve) => child.once('exit', (status, signal) => resolve(status ?? signal)));
  if (code !== 0) throw new Error(`exit ${code}: ${options.command.join(' ')}`);
}
