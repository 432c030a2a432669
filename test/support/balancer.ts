import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const PROBE_MS = 100;

/** What stands before replicas: takes those that answer `/ready` with 200, in turn, and cuts nothing that is open. */
export class Balancer {
  private inService: string[] = [];
  private next = 0;
  private readonly open = new Set<Socket>();
  private readonly probe: ReturnType<typeof setInterval>;

  private constructor(
    private readonly server: Server,
    /** URLs; the list may change at any time. */
    private readonly replicas: () => string[],
  ) {
    server.on('connection', (client) => this.forward(client));
    this.probe = setInterval(() => void this.look(), PROBE_MS);
  }

  static async start(replicas: () => string[]): Promise<Balancer> {
    const server = createServer();
    const balancer = new Balancer(server, replicas);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await balancer.look();
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    clearInterval(this.probe);
    for (const socket of this.open) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private async look(): Promise<void> {
    const answers = await Promise.all(
      this.replicas().map(async (url) => {
        const { status } = await fetch(`${url}/ready`).catch(() => ({ status: 0 }));
        return status === 200 ? [url] : [];
      }),
    );
    this.inService = answers.flat();
  }

  private forward(client: Socket): void {
    const url = this.inService[this.next++ % this.inService.length];
    if (url === undefined) return void client.destroy();
    const { hostname, port } = new URL(url);
    const target = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      this.open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }
}
