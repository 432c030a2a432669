// The least a file server does: `send` out, a stream to disk in. No names, no rights, no checks.
// With `flush` an upload is on disk when it is answered, as Parley's are.
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** The one that Express brings along. */
const send = createRequire(import.meta.resolve('express'))('send');
const [folder, flush] = process.argv.slice(2);
const server = createServer((request, response) => {
  if (request.method === 'GET') return void send(request, request.url, { root: folder }).pipe(response);
  pipeline(request, createWriteStream(join(folder, request.url), { flush: flush === 'flush' })).then(
    () => response.writeHead(204).end(),
    () => response.destroy(),
  );
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpu: (user + system) / 1e6 });
});
process.once('disconnect', () => process.exit());
