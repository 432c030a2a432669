import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Upstream } from '../../support/tcp-proxy.js';

export interface NotificationFaults {
  /** Probabilities per notification. */
  drop: number;
  double: number;
  delay: number;
}

const NOTIFICATION = 'A'.charCodeAt(0);
const MAX_DELAY_MS = 2000;
const NONE: NotificationFaults = { drop: 0, double: 0, delay: 0 };

/**
 * Stands between a replica and PostgreSQL on the connection that carries the bus. Understands just enough of the protocol
 * to lose, double and delay single notifications; a delayed one is overtaken by those after it.
 */
export class NotificationProxy {
  private faults = NONE;
  private stalled = false;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly upstream: Upstream,
    private readonly random: () => number,
  ) {}

  static async start(upstream: Upstream, random: () => number): Promise<NotificationProxy> {
    const server = createServer();
    const proxy = new NotificationProxy(server, upstream, random);
    server.on('connection', (client) => proxy.accept(client));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  disturb(faults: NotificationFaults): void {
    this.faults = faults;
  }

  /** Swallows everything the server says; the connection stays open. */
  stall(): void {
    this.stalled = true;
  }

  heal(): void {
    this.faults = NONE;
    this.stalled = false;
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }

  private accept(client: Socket): void {
    const server = connect(this.upstream);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        this.sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (chunk) => server.write(chunk));
    let rest: Buffer = Buffer.alloc(0);
    server.on('data', (chunk) => {
      if (this.stalled) return;
      let data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      // One byte of type, then the length of the rest, itself included.
      while (data.length >= 5 && data.length > data.readUInt32BE(1)) {
        const end = data.readUInt32BE(1) + 1;
        this.forward(data.subarray(0, end), client);
        data = data.subarray(end);
      }
      rest = Buffer.from(data);
    });
  }

  private forward(message: Buffer, client: Socket): void {
    const write = (): void => void (client.destroyed || client.write(message));
    if (message[0] !== NOTIFICATION) return write();
    const { drop, double, delay } = this.faults;
    const chance = this.random();
    if (chance < drop) return;
    if (chance < drop + double) write();
    if (chance < drop + double || chance >= drop + double + delay) return write();
    setTimeout(write, this.random() * MAX_DELAY_MS).unref();
  }
}
