import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A unix socket directory holding `.s.PGSQL.<port>`, or a host and port. */
export type Upstream = { path: string } | { host: string; port: number };

/**
 * A network that can fail, between a client and PostgreSQL. New faults act on open connections too:
 * `pass` forwards; `blackhole` swallows bytes of both directions and keeps the connections open; `mute` swallows only
 * what the server answers (half-open); `refuse` resets every connection.
 */
export class TcpProxy {
  private mode: 'pass' | 'blackhole' | 'mute' | 'refuse' = 'pass';
  private latencyMs = 0;
  private readonly sockets = new Set<Socket>();
  private watch: { pattern: string; seen: () => void } | undefined;

  private constructor(
    private readonly server: Server,
    private readonly upstream: Upstream,
  ) {}

  static async start(upstream: Upstream): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, upstream);
    server.on('connection', (client) => proxy.accept(client));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  set(mode: 'pass' | 'blackhole' | 'mute' | 'refuse'): void {
    this.mode = mode;
    if (mode === 'refuse') this.reset();
  }

  /** Delays every chunk, in each direction. */
  delay(ms: number): void {
    this.latencyMs = ms;
  }

  /** Cuts all open connections with a RST. */
  reset(): void {
    for (const socket of this.sockets) {
      // Only TCP knows a reset; the way on to the server may be a unix socket. A reset of a socket that is shutting down
      // fails inside Node and leaves a handle behind that keeps the process from ending.
      if (socket.remoteAddress === undefined || socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    }
  }

  /** Resolves, before forwarding it, when a client sends a message containing the text; then `act` sets the fault. */
  async whenClientSends(text: string, act: () => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.watch = {
      pattern: text,
      seen: () => {
        this.watch = undefined;
        act();
        resolve();
      },
    };
    return promise;
  }

  async stop(): Promise<void> {
    this.reset();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    if (this.mode === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const target = connect(this.upstream);
    this.pipe(client, target, true);
    this.pipe(target, client, false);
  }

  private pipe(from: Socket, to: Socket, fromClient: boolean): void {
    this.sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk) => {
      if (fromClient && this.watch && chunk.includes(this.watch.pattern)) this.watch.seen();
      const drop = this.mode === 'blackhole' || (this.mode === 'mute' && !fromClient);
      if (drop || to.destroyed) return;
      if (this.latencyMs === 0) to.write(chunk);
      else setTimeout(() => void (to.destroyed || to.write(chunk)), this.latencyMs);
    });
    const closed = (): void => {
      this.sockets.delete(from);
      // In a black hole nobody hears that the other end is gone.
      if (this.mode === 'pass' || this.mode === 'refuse') to.destroy();
    };
    from.on('error', closed);
    from.on('close', closed);
  }
}
