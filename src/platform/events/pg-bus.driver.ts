import pg from 'pg';
import { jitter } from '../clock/clock.js';
import { clientConfig } from '../database/lifecycle/connection-url.js';
import type { Log } from '../logging/log.js';
import { CoalescingBus } from './coalescing-bus.js';

const CHANNEL = 'parley_bus';
const CONNECT_TIMEOUT_MS = 5000;
const QUERY_TIMEOUT_MS = 5000;
const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 5000;

/** A client on its way to the server. */
interface Dialled {
  client: pg.Client;
  connected: Promise<unknown>;
}

/**
 * LISTEN and NOTIFY on one connection of its own, outside every other transaction: a NOTIFY inside a send would make all
 * sends of the database queue for one lock at commit. Needs a direct connection; a transaction pooler forgets LISTEN.
 */
export class PgBus extends CoalescingBus {
  private client: pg.Client | undefined;
  private dialled: Dialled | undefined;
  private retry: NodeJS.Timeout | undefined;
  private retryMs = RETRY_MIN_MS;
  private stopped = false;

  constructor(
    private readonly connectionString: string,
    replicaId: string,
    private readonly log: Log,
  ) {
    super(replicaId);
  }

  override prepare(): void {
    this.dialled = this.dial();
  }

  /** Resolves after the first attempt, whatever came of it. */
  async start(): Promise<void> {
    await this.connect();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.retry);
    await this.dialled?.client.end().catch(() => undefined);
    await this.disconnect();
  }

  protected override async transmit(texts: readonly string[]): Promise<void> {
    if (!this.client) throw new Error('not connected');
    await this.client.query('SELECT pg_notify($1, text) FROM unnest($2::text[]) AS t(text)', [CHANNEL, texts]);
  }

  protected override silent(): void {
    this.lost(this.client, new Error('own notifications do not arrive'));
  }

  private dial(): Dialled {
    const client = new pg.Client({
      ...clientConfig(this.connectionString, 'DATABASE_URL'),
      application_name: 'parley/bus',
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      keepAlive: true,
    });
    // Whoever waits gets the error; without a listener it would end the process as well.
    client.on('error', () => undefined);
    const connected = client.connect();
    connected.catch(() => undefined);
    return { client, connected };
  }

  private async connect(): Promise<void> {
    const { client, connected } = this.dialled ?? this.dial();
    this.dialled = undefined;
    this.client = client;
    client.on('error', (error) => this.lost(client, error));
    client.on('end', () => this.lost(client, new Error('connection ended')));
    client.on('notification', ({ payload }) => this.arrived(payload ?? ''));
    try {
      await connected;
      await client.query(`LISTEN ${CHANNEL}`);
      await this.listening();
      this.retryMs = RETRY_MIN_MS;
      this.log.info('bus.connected', { driver: 'pg' });
    } catch (error) {
      this.lost(client, error);
    }
  }

  /** Called by several paths for one loss; only the first counts. */
  private lost(client: pg.Client | undefined, error: unknown): void {
    if (!client || client !== this.client || this.stopped) return;
    if (this.retryMs === RETRY_MIN_MS) this.log.warn('bus.lost', { driver: 'pg', err: error });
    void this.disconnect();
    this.retry = setTimeout(() => void this.connect(), this.retryMs + jitter(this.retryMs / 2));
    this.retry.unref();
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MAX_MS);
  }

  private async disconnect(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    this.stopListening();
    // A server that does not answer would keep `end` waiting for ever.
    const limit = setTimeout(
      () => (client as unknown as { connection?: { stream?: { destroy(): void } } })?.connection?.stream?.destroy(),
      500,
    );
    await client?.end().catch(() => undefined);
    clearTimeout(limit);
  }
}
