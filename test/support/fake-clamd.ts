import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** How it takes a stream: as it should, not at all, or in one of the ways it fails in. */
type Manner = 'honest' | 'silent' | 'garbage' | 'hangs up' | 'full';

/**
 * The INSTREAM command of clamd(8): chunks after their length, ended by a zero length, answered with one line. A breach of
 * the protocol is answered as clamd does. "EICAR" is what it finds.
 */
export class FakeClamd {
  manner: Manner = 'honest';
  /** Streams it has read to their end. */
  readonly streams: Buffer[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<FakeClamd> {
    const server = createServer();
    const clamd = new FakeClamd(server);
    server.on('connection', (socket) => clamd.serve(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return clamd;
  }

  get url(): string {
    return `tcp://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket)).on('error', () => undefined);
    if (this.manner === 'hangs up') return void socket.destroy();
    let pending: Buffer = Buffer.alloc(0);
    const content: Buffer[] = [];
    let begun = false;
    socket.on('data', (part: Buffer) => {
      if (this.manner === 'silent' || socket.writableEnded) return;
      if (this.manner === 'garbage') return void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
      if (this.manner === 'full') return void socket.end('INSTREAM size limit exceeded. ERROR\0');
      pending = Buffer.concat([pending, part]);
      if (!begun) {
        if (pending.length < 10) return;
        if (pending.subarray(0, 10).toString() !== 'zINSTREAM\0') return void socket.end('UNKNOWN COMMAND\0');
        pending = pending.subarray(10);
        begun = true;
      }
      while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
        const length = pending.readUInt32BE(0);
        content.push(pending.subarray(4, 4 + length));
        pending = pending.subarray(4 + length);
        if (length > 0) continue;
        const whole = Buffer.concat(content);
        this.streams.push(whole);
        return void socket.end(whole.includes('EICAR') ? 'stream: Win.Test.EICAR_HDB-1 FOUND\0' : 'stream: OK\0');
      }
    });
  }
}
