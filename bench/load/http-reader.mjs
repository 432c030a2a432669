// One connection that asks over REST again and again. It costs the generator as little as the clients of the stubs do: of
// an answer only its status and its length are looked at.
import { once } from 'node:events';
import { connect } from 'node:net';

const HEAD_END = '\r\n\r\n';

export class HttpReader {
  #tcp;
  #requestFor;
  #waiting;
  /** Bytes of the answer's body still to come; undefined while its head has not come whole. */
  #missing;
  #head = '';

  /** `path` is called before each request; `body` is sent as JSON. */
  async open({ port, token, method = 'GET', path, body }) {
    const content = body === undefined ? '' : JSON.stringify(body);
    const type = content && `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(content)}\r\n`;
    this.#requestFor = () =>
      `${method} ${path()} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\n${type}\r\n${content}`;
    this.#tcp = connect(port, '127.0.0.1');
    this.#tcp.setNoDelay(true);
    this.#tcp.on('data', (chunk) => this.#receive(chunk));
    this.#tcp.on('error', () => undefined);
    this.#tcp.on('close', () => this.#waiting?.reject(new Error('the connection was closed')));
    await once(this.#tcp, 'connect');
    return this;
  }

  /** Resolves when the whole answer is there; rejects on any other status than 200. */
  read() {
    this.#waiting = Promise.withResolvers();
    this.#missing = undefined;
    this.#head = '';
    this.#tcp.write(this.#requestFor());
    return this.#waiting.promise;
  }

  close() {
    this.#waiting = undefined;
    this.#tcp.destroy();
  }

  #receive(chunk) {
    if (this.#missing === undefined) {
      this.#head += chunk.toString('latin1');
      const end = this.#head.indexOf(HEAD_END);
      if (end < 0) return;
      const length = /content-length: *(\d+)/i.exec(this.#head.slice(0, end))?.[1];
      if (!this.#head.startsWith('HTTP/1.1 200 ') || length === undefined) {
        this.#waiting.reject(new Error(this.#head.slice(0, 300)));
        return;
      }
      this.#missing = Number(length) - (this.#head.length - end - HEAD_END.length);
    } else {
      this.#missing -= chunk.length;
    }
    if (this.#missing === 0) this.#waiting.resolve();
  }
}
