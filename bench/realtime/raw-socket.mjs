import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * A Socket.IO client that does almost nothing, so that the generator is not what is measured: frames are written ready
 * made and only counted when they arrive.
 */
export class RawSocket {
  /** Frames received so far, by the kind of packet: `43` acks, `42` events. */
  acks = 0;
  events = 0;
  onAck = () => undefined;
  onEvent = () => undefined;
  #tcp;
  #rest = Buffer.alloc(0);
  #ready;

  /** Resolves when the server has sent `ready`, or the answer to the namespace where there is none. */
  static async open(port, auth, { waitFor }) {
    const socket = new RawSocket();
    const tcp = connect(port, '127.0.0.1');
    socket.#tcp = tcp;
    tcp.setNoDelay(true);
    await once(tcp, 'connect');
    const key = randomBytes(16).toString('base64');
    tcp.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    );
    const [head] = await once(tcp, 'data');
    const end = head.indexOf('\r\n\r\n');
    if (!head.subarray(0, 12).toString().endsWith('101')) {
      tcp.destroy();
      throw Object.assign(new Error(head.toString().slice(0, 200)), {
        retryAfterMs: Number(/retry-after: (\d+)/i.exec(head.toString())?.[1] ?? 1) * 1000,
      });
    }
    const ready = new Promise((resolve) => (socket.#ready = { waitFor, resolve }));
    socket.#receive(head.subarray(end + 4));
    tcp.on('data', (chunk) => socket.#receive(chunk));
    tcp.on('error', () => undefined);
    socket.send(`40/v1,${JSON.stringify(auth)}`);
    await ready;
    return socket;
  }

  send(text) {
    this.#tcp.write(frame(text));
  }

  sendFrame(bytes) {
    this.#tcp.write(bytes);
  }

  close() {
    this.#tcp.destroy();
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
      this.#packet(data, start, length);
      data = data.subarray(start + length);
    }
    this.#rest = data;
  }

  #packet(data, start, length) {
    const kind = data[start + 1];
    if (data[start] === 0x32 && length === 1) this.send('3');
    else if (data[start] !== 0x34) return;
    else if (kind === 0x33) {
      this.acks += 1;
      this.onAck();
    } else if (kind === 0x32) {
      this.events += 1;
      this.onEvent();
    }
    if (this.#ready && data.subarray(start, start + length).includes(this.#ready.waitFor)) {
      this.#ready.resolve();
      this.#ready = undefined;
    }
  }
}

/** A masked text frame (mask 0, so the text stays as it is). */
export function frame(text) {
  const body = Buffer.from(text);
  const head =
    body.length < 126
      ? Buffer.from([0x81, 0x80 | body.length])
      : Buffer.from([0x81, 0x80 | 126, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([head, Buffer.alloc(4), body]);
}
