// Without Socket.IO: plain frames of JSON, `[id, c, body]` in, `[id]` and `{c, body}` out. The first frame lists the rooms.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { openStore } from './store.mjs';

const store = await openStore(process.env.STORE, process.env.DATABASE_URL);
const rooms = new Map();
const server = createServer();
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
  let joined;
  const answer = async ([id, c, body]) => {
    if (body === undefined) {
      socket.send(JSON.stringify([id, await store.newest(c)]));
      return;
    }
    await store.save(c, body);
    socket.send(`[${id}]`);
    const text = Buffer.from(JSON.stringify({ c, body }));
    for (const member of rooms.get(c) ?? []) member.send(text, { binary: false });
  };
  socket.on('message', (data) => {
    const message = JSON.parse(/** @type {Buffer} */ (data).toString());
    if (joined) {
      void answer(message);
      return;
    }
    joined = message;
    for (const c of joined) rooms.set(c, (rooms.get(c) ?? new Set()).add(socket));
    socket.send('"ready"');
  });
  socket.on('close', () => {
    for (const c of joined ?? []) rooms.get(c)?.delete(socket);
  });
});
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
