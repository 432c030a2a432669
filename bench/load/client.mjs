// Clients that cost the generator as little as possible: frames are made by hand, and of what arrives only the stamp in
// the body is looked at.
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { frame } from '../realtime/raw-socket.mjs';

const BODY = Buffer.from('"body":"');
const READY = Buffer.from('"ready"');
const OPEN_LIMIT_MS = 30_000;
const [ZERO, NINE, POINT] = Buffer.from('09.');

class Client {
  /** Called with the id of the send. */
  onAck = () => undefined;
  /** Called with the stamp of a delivered message: number, conversation. */
  onMessage = () => undefined;
  failures = 0;
  /** The other side, or the network, has ended it. */
  dropped = false;
  #tcp;
  #rest = Buffer.alloc(0);
  #ready = Promise.withResolvers();

  /** `target` is a port of this machine, or `{ host, port, secure }`. */
  async open(target, path) {
    const { host, port, secure } = typeof target === 'number' ? { host: '127.0.0.1', port: target } : target;
    const tcp = secure ? connectSecurely({ host, port, servername: host }) : connect(port, host);
    this.#tcp = tcp;
    tcp.setNoDelay(true);
    tcp.on('error', () => undefined);
    tcp.on('close', () => (this.dropped = true));
    await once(tcp, secure ? 'secureConnect' : 'connect');
    const key = randomBytes(16).toString('base64');
    tcp.write(
      `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    const [head] = await once(tcp, 'data');
    const end = head.indexOf('\r\n\r\n');
    if (!head.subarray(0, 12).toString().endsWith('101')) throw new Error(head.toString().slice(0, 200));
    tcp.on('data', (chunk) => this.#receive(chunk));
    this.#receive(head.subarray(end + 4));
    this.write(this.greeting());
    const limit = setTimeout(() => this.#ready.reject(new Error('the server did not say ready')), OPEN_LIMIT_MS);
    await this.#ready.promise;
    clearTimeout(limit);
    return this;
  }

  write(text) {
    this.#tcp.write(frame(text));
  }

  close() {
    this.#tcp.destroy();
  }

  ready() {
    this.#ready.resolve();
  }

  refused(reason) {
    this.#ready.reject(new Error(reason));
  }

  /** The stamp at the start of the body: `number.conversation.` */
  delivered(data, from, to) {
    const at = data.indexOf(BODY, from);
    if (at < 0 || at >= to) return;
    let i = at + BODY.length;
    const next = () => {
      let number = 0;
      for (; data[i] >= ZERO && data[i] <= NINE; i++) number = number * 10 + data[i] - ZERO;
      return data[i++] === POINT ? number : undefined;
    };
    const number = next();
    const conversation = next();
    // Somebody else may write there too.
    if (number === undefined || conversation === undefined) return;
    this.onMessage(number, conversation);
  }

  #receive(chunk) {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (;;) {
      if (data.length < 2) break;
      let length = data[1] & 0x7f;
      let start = 2;
      if (length === 126) {
        if (data.length < 4) break;
        length = data.readUInt16BE(2);
        start = 4;
      } else if (length === 127) {
        if (data.length < 10) break;
        length = Number(data.readBigUInt64BE(2));
        start = 10;
      }
      if (data.length < start + length) break;
      if (length > 0) this.packet(data, start, start + length);
      data = data.subarray(start + length);
    }
    this.#rest = data;
  }
}

/** Speaks Socket.IO: Parley, and the stubs made of it. */
export class SocketIoClient extends Client {
  constructor(token, deviceId) {
    super();
    this.auth = { token, deviceId, protocol: 1 };
  }
  open(target) {
    return super.open(target, '/socket.io/?EIO=4&transport=websocket');
  }
  greeting() {
    return `40/v1,${JSON.stringify(this.auth)}`;
  }
  send(id, c, body) {
    this.write(`42/v1,${id}["message.send",{"c":"${c}","clientId":"${randomUUID()}","body":"${body}"}]`);
  }
  history(id, c) {
    this.write(`42/v1,${id}["history",{"c":"${c}"}]`);
  }
  packet(data, start, end) {
    if (data[start] === 0x32 && end - start === 1) return this.write('3');
    const kind = data[start + 1];
    // `43/v1,<id>[{"ok":true...`
    if (kind === 0x33) {
      let id = 0;
      let i = start + 6;
      for (; data[i] !== 91; i++) id = id * 10 + data[i] - 48;
      if (data[i + 7] !== 116) this.failures += 1;
      this.onAck(id);
    } else if (kind === 0x32 && data[start + 8] === 99) this.delivered(data, start, end);
    else if (kind === 0x32 && data.indexOf(READY, start) >= 0) this.ready();
    else if (kind === 0x34) this.refused(data.toString('utf8', start, end));
  }
}

/** Speaks the plain frames of the ws stub. */
export class WsClient extends Client {
  constructor(rooms) {
    super();
    this.rooms = rooms;
  }
  open(port) {
    return super.open(port, '/');
  }
  greeting() {
    return JSON.stringify(this.rooms.split(',').filter(Boolean));
  }
  send(id, c, body) {
    this.write(`[${id},"${c}","${body}"]`);
  }
  history(id, c) {
    this.write(`[${id},"${c}"]`);
  }
  packet(data, start, end) {
    if (data[start] === 91) this.onAck(Number.parseInt(data.toString('latin1', start + 1, start + 12), 10));
    else if (data[start] === 123) this.delivered(data, start, end);
    else this.ready();
  }
}
