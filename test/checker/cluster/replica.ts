import { startServerProcess, type ServerProcess } from '../../support/server-process.js';
import { TcpProxy, type Upstream } from '../../support/tcp-proxy.js';
import { wrongClock } from '../../support/wrong-clock.js';
import { throughProxy, upstreamOf } from '../../lifecycle/support/proxy.js';
import { NotificationProxy } from './notification-proxy.js';

const BOOT_ATTEMPTS = 5;

export interface ReplicaOptions {
  /** Compiled entry of the server. */
  entry: string;
  databaseUrl: string;
  environment: Record<string, string>;
  random: () => number;
}

/** One server process with a network that can fail on each side: clients, database, bus. Its address never changes. */
export class Replica {
  private server: ServerProcess | undefined;
  private frozen = false;
  /** Set when the process ended and nobody had asked for it. */
  died: string | undefined;

  private constructor(
    private readonly options: ReplicaOptions,
    private readonly address: { host: string; port: number },
    readonly clients: TcpProxy,
    readonly database: TcpProxy,
    readonly bus: NotificationProxy,
  ) {}

  static async create(options: ReplicaOptions): Promise<Replica> {
    const address = { host: '127.0.0.1', port: 1 };
    const database: Upstream = upstreamOf(options.databaseUrl);
    return new Replica(
      options,
      address,
      await TcpProxy.start(address),
      await TcpProxy.start(database),
      await NotificationProxy.start(database, options.random),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${this.clients.port}`;
  }

  /** Resolves when it is ready. `clock` as libfaketime writes it, such as `+10m`; monotonic time stays true. */
  async start(clock?: string): Promise<void> {
    const server = await this.boot(clock);
    this.address.port = server.port;
    this.server = server;
    void server.exited.then((how) => {
      if (this.server === server) this.died = `ended by itself with ${how}:\n${server.output().slice(-3000)}`;
    });
  }

  /** As every supervisor does: a boot that gives up because something around it fails is tried again. */
  private async boot(clock: string | undefined): Promise<ServerProcess> {
    const { entry, databaseUrl, environment } = this.options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await startServerProcess(
          {
            DATABASE_URL: throughProxy(databaseUrl, this.database),
            DATABASE_DIRECT_URL: throughProxy(databaseUrl, this.bus),
            APP_SECRET: 'checker-secret-checker-secret-checker',
            LOG_LEVEL: 'warn',
            // Sessions are not what is tested here.
            ACCESS_TOKEN_TTL: '86400',
            ...wrongClock(clock),
            ...environment,
          },
          { entry },
        );
      } catch (error) {
        if (attempt === BOOT_ATTEMPTS) throw error;
      }
    }
  }

  /** Ends the process and resolves when it is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (!server) return;
    if (this.frozen) this.thaw(server);
    await server.stop(signal);
  }

  freeze(): void {
    this.frozen = this.server?.child.kill('SIGSTOP') ?? false;
  }

  thaw(server = this.server): void {
    this.frozen = false;
    server?.child.kill('SIGCONT');
  }

  get running(): boolean {
    return this.server !== undefined;
  }

  async stop(): Promise<void> {
    await this.end('SIGKILL');
    await Promise.all([this.clients.stop(), this.database.stop(), this.bus.stop()]);
  }
}
