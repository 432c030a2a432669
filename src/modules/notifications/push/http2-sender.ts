import { type ClientHttp2Session, connect, constants } from 'node:http2';

/** An answer over HTTP/2. */
export interface Http2Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR } = constants;
/** A connection nobody used for this long is given up: something between may have forgotten it. */
const IDLE_MS = 10 * 60_000;
const BODY_MAX = 16_384;

/** Posts on one connection to one host, which is opened when needed and replaced when it fails. */
export class Http2Sender {
  private session: ClientHttp2Session | undefined;

  /** `ca`: PEM of the authority to believe, instead of the usual ones. */
  constructor(
    private readonly origin: string,
    private readonly ca: string | undefined,
  ) {}

  /** @throws whatever the network says, within `timeoutMs` */
  post(path: string, headers: Record<string, string>, body: string, timeoutMs: number): Promise<Http2Answer> {
    const session = this.connected();
    return new Promise((resolve, reject) => {
      const stream = session.request({ ...headers, ':method': 'POST', ':path': path });
      const timer = setTimeout(() => {
        fail(Object.assign(new Error('no answer in time'), { code: 'TIMEOUT' }));
        stream.close(NGHTTP2_CANCEL);
      }, timeoutMs);
      const fail = (error: Error): void => {
        clearTimeout(timer);
        // The connection is suspected, too; others on it may finish.
        this.drop(session);
        reject(error);
      };
      let answer: Record<string, unknown> = {};
      let text = '';
      stream.setEncoding('utf8');
      stream.on('response', (got) => (answer = got));
      stream.on('data', (chunk: string) => {
        if (text.length < BODY_MAX) text += chunk;
      });
      stream.once('error', fail);
      stream.once('close', () => {
        clearTimeout(timer);
        const status = Number(answer[':status'] ?? 0);
        if (stream.rstCode === NGHTTP2_NO_ERROR && status > 0) resolve({ status, headers: answer, body: text });
        else fail(Object.assign(new Error('the stream was closed'), { code: 'STREAM_CLOSED' }));
      });
      stream.end(body);
    });
  }

  close(): void {
    if (this.session) this.drop(this.session);
  }

  private connected(): ClientHttp2Session {
    if (this.session && !this.session.closed && !this.session.destroyed) return this.session;
    const session = connect(this.origin, this.ca === undefined ? {} : { ca: this.ca });
    // Streams tell their own failure; a connection without any has nobody to tell.
    session.on('error', () => this.drop(session));
    session.once('goaway', () => this.drop(session));
    session.setTimeout(IDLE_MS, () => session.destroy());
    session.unref();
    this.session = session;
    return session;
  }

  private drop(session: ClientHttp2Session): void {
    if (this.session === session) this.session = undefined;
    session.close();
  }
}
