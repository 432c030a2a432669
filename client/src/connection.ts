import { io, type Socket } from 'socket.io-client';
import { backoffMs, noAnswer, ParleyError, type Problem } from './errors.js';
import type { Commands, Ready } from './protocol.js';
import type { TokenSource } from './rest.js';

export type ConnectionState = 'offline' | 'connecting' | 'online';

export interface ConnectionPort {
  tokens: TokenSource & { deviceId: string | undefined };
  /** The first event of each connection. */
  ready(ready: Ready): void;
  lost(reason: string): void;
  /** Every event, unchecked. */
  event(name: string, payload: unknown): void;
  state(state: ConnectionState, error?: ParleyError): void;
}

type Ack<T> = { ok: true; data: T } | { ok: false; error: Problem };

const ACK_TIMEOUT_MS = 10_000;
/** The client must act, which it cannot: another try much later costs little. */
const SLOW_RETRY_MS = 30_000;
const NAMESPACE = '/v1';
const PROTOCOL = 1;

/**
 * One socket that comes back: by backoff with jitter, after `server.draining` when the server said, with a fresh token
 * after the old one was refused. Socket.IO's own reconnection is off, since it knows neither.
 */
export class Connection {
  private readonly socket: Socket;
  private wanted = false;
  private attempt = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private reconnectAfterMs: number | undefined;
  private stale = false;
  private isReady = false;
  private state: ConnectionState = 'offline';
  private readonly waiters = new Set<() => void>();

  constructor(
    url: string,
    private readonly port: ConnectionPort,
    options: { transports?: ('websocket' | 'polling')[] } = {},
  ) {
    this.socket = io(`${url.replace(/\/+$/, '')}${NAMESPACE}`, {
      transports: options.transports ?? ['websocket'],
      autoConnect: false,
      reconnection: false,
      forceNew: true,
      auth: (send) => void this.handshake(send),
    });
    this.socket.on('ready', (ready: Ready) => this.onReady(ready));
    this.socket.on('connect_error', (error: Error & { data?: Problem }) => this.onRefused(error));
    this.socket.on('disconnect', (reason) => this.onLost(reason));
    this.socket.on('server.draining', ({ reconnectAfterMs }: { reconnectAfterMs: number }) => {
      this.reconnectAfterMs = reconnectAfterMs;
    });
    this.socket.on('session.revoked', () => {
      this.stale = true;
    });
    this.socket.onAny((name: string, payload: unknown) => this.port.event(name, payload));
  }

  get online(): boolean {
    return this.isReady;
  }

  open(): void {
    this.wanted = true;
    if (!this.socket.active && this.timer === undefined) void this.connect();
  }

  /** Tries at once what would be tried later: the network is back. */
  hurry(): void {
    if (!this.wanted || this.timer === undefined) return;
    clearTimeout(this.timer);
    void this.connect();
  }

  close(): void {
    this.wanted = false;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.socket.disconnect();
    this.lost('closed');
    for (const wake of this.waiters) wake();
  }

  /** Cuts the transport, as a lost network would. */
  cut(): void {
    this.socket.io.engine?.close();
  }

  /** Resolves as soon as the server can be asked. @throws timeout, closed */
  async untilReady(withinMs?: number): Promise<void> {
    const until = withinMs === undefined ? Infinity : Date.now() + withinMs;
    while (!this.isReady) {
      if (!this.wanted) throw noAnswer('closed', 'The client is not connected');
      if (Date.now() >= until) throw noAnswer('timeout', 'There was no connection in time');
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(limit);
          this.waiters.delete(wake);
          resolve();
        };
        const limit = until === Infinity ? undefined : setTimeout(wake, until - Date.now());
        this.waiters.add(wake);
      });
    }
  }

  /** Asks on the connection of the moment. @throws ParleyError: the problem of the server, `offline` or `timeout` */
  async request<Name extends keyof Commands>(name: Name, payload: Commands[Name][0]): Promise<Commands[Name][1]> {
    if (!this.socket.connected) throw noAnswer('offline', `No connection for ${name}`);
    let ack: Ack<Commands[Name][1]>;
    try {
      ack = (await this.socket.timeout(ACK_TIMEOUT_MS).emitWithAck(name, payload)) as typeof ack;
    } catch (cause) {
      throw noAnswer(this.socket.connected ? 'timeout' : 'offline', `${name} had no answer`, cause);
    }
    if (ack.ok) return ack.data;
    throw new ParleyError(ack.error);
  }

  /** Says something nobody waits for; lost without a connection. */
  hint(name: string, payload: unknown): void {
    if (this.isReady) this.socket.volatile.emit(name, payload);
  }

  private async connect(): Promise<void> {
    this.timer = undefined;
    this.show('connecting');
    try {
      await this.port.tokens.accessToken(this.stale);
      this.stale = false;
    } catch (thrown) {
      const error = thrown instanceof ParleyError ? thrown : noAnswer('offline', String(thrown), thrown);
      // The sign-in has ended: whoever made this connection knows and says so.
      if (!error.retryable) return this.show('offline', error);
      return this.later(backoffMs(++this.attempt, error), error);
    }
    if (this.wanted) this.socket.connect();
  }

  private async handshake(send: (auth: object) => void): Promise<void> {
    const token = await this.port.tokens.accessToken().catch(() => '');
    const { deviceId } = this.port.tokens;
    send({ token, ...(deviceId === undefined ? {} : { deviceId }), protocol: PROTOCOL });
  }

  private onReady(ready: Ready): void {
    this.attempt = 0;
    this.reconnectAfterMs = undefined;
    this.isReady = true;
    this.port.ready(ready);
    this.show('online');
    for (const wake of this.waiters) wake();
  }

  private onRefused(error: Error & { data?: Problem }): void {
    this.attempt++;
    // With a problem the namespace refused; else nobody answered, or the upgrade was refused with 503.
    if (!error.data) return this.later(backoffMs(this.attempt), noAnswer('offline', error.message, error));
    const refusal = new ParleyError(error.data);
    const tokenRefused = refusal.status === 401;
    if (tokenRefused) this.stale = true;
    const waitMs = tokenRefused && this.attempt === 1 ? 0 : backoffMs(this.attempt, refusal);
    this.later(tokenRefused || refusal.retryable ? waitMs : Math.max(waitMs, SLOW_RETRY_MS), refusal);
  }

  private onLost(reason: string): void {
    this.lost(reason);
    if (!this.wanted) return;
    // The hint is of this close only.
    const waitMs = this.reconnectAfterMs ?? (this.attempt === 0 ? Math.random() * 300 : backoffMs(this.attempt));
    this.reconnectAfterMs = undefined;
    this.attempt++;
    this.later(waitMs, noAnswer('offline', reason));
  }

  private later(ms: number, error: ParleyError): void {
    if (!this.wanted) return;
    this.show('offline', error);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.connect(), ms);
  }

  private lost(reason: string): void {
    if (!this.isReady) return;
    this.isReady = false;
    this.show('offline');
    this.port.lost(reason);
  }

  private show(state: ConnectionState, error?: ParleyError): void {
    if (this.state === state) return;
    this.state = state;
    this.port.state(state, error);
  }
}
