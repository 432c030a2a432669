import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root, temporaryFolder } from '../support/server-process.js';

/** What a host application would write: the package as it is published, no bundler, one store or the other. */
const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8" />
<title>A page</title>
<link rel="icon" href="data:," />
<script type="importmap">
{ "imports": { "@parley/client": "/client/index.js", "socket.io-client": "/socket.io.js" } }
</script>
<script type="module">
import { Parley, storageStore } from '@parley/client';

const opened = new Promise((resolve, reject) => {
  const request = indexedDB.open('outbox', 1);
  request.onupgradeneeded = () => request.result.createObjectStore('items');
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const inDatabase = async (mode, work) => {
  const transaction = (await opened).transaction('items', mode);
  const request = work(transaction.objectStore('items'));
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onerror = () => reject(transaction.error);
  });
  return request.result;
};
const indexedStorage = {
  getItem: (key) => inDatabase('readonly', (items) => items.get(key)),
  setItem: (key, value) => inDatabase('readwrite', (items) => items.put(value, key)),
  removeItem: (key) => inDatabase('readwrite', (items) => items.delete(key)),
};
const storages = { localStorage, indexedDB: indexedStorage };

window.bodies = [];
window.happened = [];
window.enter = async (url, storage, login) => {
  const options = { outbox: storageStore(storages[storage]) };
  const kept = localStorage.getItem('tokens');
  const parley = kept ? Parley.resume(url, JSON.parse(kept), options) : await Parley.login(url, login, options);
  const keep = (tokens) => localStorage.setItem('tokens', JSON.stringify(tokens));
  keep(parley.tokens);
  parley.on('tokens', keep);
  parley.on('message', ({ message }) => window.bodies.push(message.body));
  for (const name of ['status', 'tokens']) {
    parley.on(name, (event) => window.happened.push(name === 'status' ? event.status : name));
  }
  window.unsent = async () => JSON.parse((await storages[storage].getItem('parley:outbox:' + parley.userId)) ?? '[]').length;
  window.parley = parley;
  parley.connect().catch((error) => console.error(error));
};
window.loaded = true;
</script>
<p>Plain</p>
`;

/** Serves the page and the built package, on an origin of its own. */
export async function servePage(): Promise<{ origin: string; stop: () => Promise<void> }> {
  const folder = await temporaryFolder();
  const tsc = join(root, 'node_modules/typescript7/bin/tsc');
  await promisify(execFile)(
    process.execPath,
    [tsc, '-p', 'client/tsconfig.build.json', '--outDir', folder.path, '--declaration', 'false'],
    { cwd: root, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  const contentOf = async (path: string): Promise<[type: string, content: string | Buffer]> => {
    if (path === '/') return ['text/html', html];
    if (path === '/socket.io.js')
      return ['text/javascript', await readFile(join(root, 'node_modules/socket.io-client/dist/socket.io.esm.min.js'))];
    return ['text/javascript', await readFile(join(folder.path, path.replace('/client/', '')))];
  };
  const server: Server = createServer((request, response) => {
    void contentOf(new URL(request.url ?? '/', 'http://page').pathname).then(
      ([type, content]) => response.setHeader('content-type', type).end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await folder.remove();
    },
  };
}
