// The reference: Socket.IO with Parley's options and nothing else.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const server = createServer();
const io = new Server({
  transports: ['websocket'],
  maxHttpBufferSize: 131_072,
  pingInterval: 20_000,
  pingTimeout: 15_000,
  connectTimeout: 10_000,
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
});
let rev = 0;
const namespace = io.of('/v1');
namespace.on('connection', (socket) => {
  void socket.join(['c:bench', `u:${socket.id}`]);
  socket.on('bench.empty', (_payload, ack) => ack({ ok: true, data: {} }));
  socket.on('bench.tell', ({ text }, ack) => {
    rev += 1;
    namespace.to('c:bench').emit('change', { c: 'bench', rev, from: rev - 1, t: 'message', v: { seq: rev, text } });
    ack({ ok: true, data: {} });
  });
  socket.emit('ready', {});
});
io.attach(server);
io.engine.on('connection', (connection) => {
  connection.request = null;
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', ({ ask, collect }) => {
  if (ask === 'tokens') process.send({ tokens: [] });
  if (ask === 'usage') {
    if (collect) globalThis.gc();
    process.send({ usage: { cpu: process.cpuUsage(), memory: process.memoryUsage() } });
  }
});
