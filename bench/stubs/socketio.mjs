// The limit of Parley's stack: Socket.IO with its options, store, room. The token is the list of rooms.
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { openStore } from './store.mjs';

const store = await openStore(process.env.STORE, process.env.DATABASE_URL);
const server = createServer();
const io = new Server({
  transports: ['websocket'],
  maxHttpBufferSize: 131_072,
  pingInterval: 20_000,
  pingTimeout: 15_000,
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
});
let seq = 0;
const namespace = io.of('/v1');
namespace.on('connection', (socket) => {
  void socket.join(socket.handshake.auth.token.split(',').filter(Boolean));
  socket.on('message.send', async ({ c, clientId, body }, ack) => {
    await store.save(c, body);
    seq += 1;
    const message = { seq, clientId, body };
    ack({ ok: true, data: { message } });
    namespace.to(c).emit('change', { c, rev: seq, from: seq - 1, t: 'message', v: message });
  });
  socket.on('history', async ({ c }, ack) => ack({ ok: true, data: await store.newest(c) }));
  socket.emit('ready', {});
});
io.attach(server);
io.engine.on('connection', (connection) => {
  connection.request = null;
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
