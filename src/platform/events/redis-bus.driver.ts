import type { Redis } from 'ioredis';
import { jitter } from '../clock/clock.js';
import type { Config } from '../config/config.js';
import type { Log } from '../logging/log.js';
import { CoalescingBus } from './coalescing-bus.js';

const CHANNEL = 'parley:bus';
const COMMAND_LIMIT_MS = 500;
const CONNECT_TIMEOUT_MS = 2000;
const RETRY_MAX_MS = 2000;

/**
 * Redis publish/subscribe. Commands are cut at 500 ms and never queue while the server is away. One connection is enough
 * for a cluster: what is published at one node reaches the subscribers of all.
 */
export class RedisBus extends CoalescingBus {
  private publisher: Redis | undefined;
  private subscriber: Redis | undefined;

  constructor(
    private readonly url: string,
    replicaId: string,
    private readonly log: Log,
    private readonly transport: Config['redisTransport'] = {},
  ) {
    super(replicaId);
  }

  /** Resolves when connected, or after 2 s with the attempts going on. */
  async start(): Promise<void> {
    const { Redis } = await import('ioredis');
    const options = {
      ...this.transport,
      lazyConnect: true,
      enableOfflineQueue: false,
      commandTimeout: COMMAND_LIMIT_MS,
      connectTimeout: CONNECT_TIMEOUT_MS,
      maxRetriesPerRequest: 0,
      // Subscribing is this driver's own work at each connect, see `subscribe`.
      autoResubscribe: false,
      retryStrategy: (attempt: number) => Math.min(100 * 2 ** attempt, RETRY_MAX_MS) + jitter(100),
    };
    const publisher = new Redis(this.url, options);
    const subscriber = new Redis(this.url, options);
    this.publisher = publisher;
    this.subscriber = subscriber;
    subscriber.on('message', (_channel, text: string) => this.arrived(text));
    for (const client of [publisher, subscriber]) {
      client.on('error', (error: Error) => this.log.debug('bus.error', { driver: 'redis', err: error }));
      client.on('close', () => this.lost());
      client.on('ready', () => void this.subscribe(publisher, subscriber));
    }
    await Promise.allSettled([publisher.connect(), subscriber.connect()]);
  }

  async stop(): Promise<void> {
    this.stopListening();
    this.publisher?.disconnect();
    this.subscriber?.disconnect();
  }

  protected override async transmit(texts: readonly string[]): Promise<void> {
    const { publisher } = this;
    if (publisher?.status !== 'ready') throw new Error('not connected');
    await Promise.all(texts.map(async (text) => publisher.publish(CHANNEL, text)));
  }

  protected override silent(): void {
    this.lost();
    this.publisher?.disconnect(true);
    this.subscriber?.disconnect(true);
  }

  /** When both connections are there. */
  private async subscribe(publisher: Redis, subscriber: Redis): Promise<void> {
    if (publisher.status !== 'ready' || subscriber.status !== 'ready') return;
    try {
      await subscriber.subscribe(CHANNEL);
      await this.listening();
      this.log.info('bus.connected', { driver: 'redis' });
    } catch {
      subscriber.disconnect(true);
    }
  }

  private lost(): void {
    if (this.connected) this.log.warn('bus.lost', { driver: 'redis' });
    this.stopListening();
  }
}
