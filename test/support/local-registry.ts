import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root, temporaryFolder } from './server-process.js';

const run = promisify(execFile);

/**
 * A registry for npm on this machine: it has the packages that are installed here, as they are, and those of `own` (name to
 * folder) as `npm pack` makes them. Everything else is not found.
 */
export async function startLocalRegistry(
  own: Record<string, string>,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = await temporaryFolder();
  const tarballs = new Map<string, Promise<Buffer>>();
  const tarballOf = (name: string): Promise<Buffer> => {
    const known = tarballs.get(name) ?? (own[name] ? packed(own[name], folder.path) : archived(installed(name)));
    tarballs.set(name, known);
    return known;
  };
  const answer = async (path: string, base: string): Promise<string | Buffer> => {
    const [, name = '', isTarball] = /^\/(.*?)(\/-\/tarball)?$/.exec(decodeURIComponent(path)) ?? [];
    if (isTarball) return tarballOf(name);
    const text = await readFile(join(own[name] ?? installed(name), 'package.json'), 'utf8');
    const manifest = JSON.parse(text) as { version: string };
    const integrity = `sha512-${createHash('sha512')
      .update(await tarballOf(name))
      .digest('base64')}`;
    return JSON.stringify({
      name,
      'dist-tags': { latest: manifest.version },
      versions: { [manifest.version]: { ...manifest, dist: { tarball: `${base}/${name}/-/tarball`, integrity } } },
    });
  };
  const server = createServer((request, response) => {
    answer(request.url ?? '/', `http://${request.headers.host}`).then(
      (body) => response.end(body),
      () => response.writeHead(404).end('{}'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await folder.remove();
    },
  };
}

const installed = (name: string): string => join(root, 'node_modules', name);

async function packed(source: string, destination: string): Promise<Buffer> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', destination], { cwd: source });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  return readFile(join(destination, filename));
}

async function archived(source: string): Promise<Buffer> {
  const args = ['cz', '--exclude=node_modules', '-C', dirname(source), basename(source)];
  const { stdout } = await run('tar', args, { encoding: 'buffer', maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
