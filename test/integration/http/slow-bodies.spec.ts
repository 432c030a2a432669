import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { httpTimeouts, limitBody } from '../../../src/platform/lifecycle/listener.js';

/** In place of the 30 s of a running server. */
const BODY_MS = 400;

let server: Server;
beforeAll(async () => {
  server = createServer(httpTimeouts, (request, response) => {
    limitBody(request, response, BODY_MS);
    let bytes = 0;
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    request.on('error', () => undefined);
    request.on('end', () => response.end(`${bytes} bytes`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const begin = (line: string, headers: string): Socket => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n\r\n`);
  return socket;
};
const length = (bytes: number) => `Content-Length: ${bytes}`;

it('a body that does not come to its end within the limit is 408, however busy its sender is', async () => {
  const socket = begin('POST /api/v1/auth/login', length(1000));
  const trickle = setInterval(() => socket.write('x'), BODY_MS / 10);
  socket.on('error', () => undefined);
  expect(await text(socket)).toContain('HTTP/1.1 408 Request Timeout');
  clearInterval(trickle);
});

it('an upload takes as long as it takes', async () => {
  const socket = begin('PUT /api/v1/media/files/1?exp=1&sig=x', length(40));
  // Four times the limit of everything else.
  let sent = 0;
  const trickle = setInterval(() => {
    if (sent++ < 40) socket.write('x');
  }, BODY_MS / 10);
  expect(await text(socket)).toContain('40 bytes');
  clearInterval(trickle);
});

it('an upload that has fallen silent is 408', async () => {
  const socket = begin('PUT /api/v1/media/files/1?exp=1&sig=x', length(40));
  socket.write('xx');
  expect(await text(socket)).toContain('HTTP/1.1 408 Request Timeout');
});

it('what has no body is not hurried', async () => {
  expect(await text(begin('GET /health', 'Accept: */*'))).toContain('0 bytes');
});
