import type { ClientConfig, QueryResult, QueryResultRow } from 'pg';
import { Client } from 'pg';

import type { BootRun } from './boot-run.js';
import { codeOf, LifecycleError, messageOf } from './errors.js';
import type { Found } from './state.js';

/** The server or the network ended the session. What was not committed is gone; the next session reads what was. */
export class ConnectionLostError extends Error {
  constructor(
    readonly reason: unknown,
    /** This process did not run for longer than the server waits. */
    private readonly frozen = false,
  ) {
    super(`connection lost: ${messageOf(reason)}`, { cause: reason });
  }

  get code(): string | undefined {
    return codeOf(this.reason);
  }

  /** The server ended a session that was silent for too long: this process was frozen and others went on without it. */
  get fenced(): boolean {
    return this.frozen || this.code === '57P05' || this.code === '25P03';
  }
}

const lossCodes = /^(57P0[1-5]|25P03|08...|ECONN.*|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
const lossMessages = /Connection terminated|Client was closed|not queryable/;

const isLoss = (error: unknown): boolean => {
  const code = codeOf(error);
  return code === undefined ? lossMessages.test(messageOf(error)) : lossCodes.test(code);
};

/**
 * The one direct connection of a run. It knows when it is lost, gives signs of life so that the server does not fence
 * it, and on abort ends the running statement through a second connection.
 */
export class Session {
  /** False when the server process behind us may change with every transaction. */
  direct = true;
  /** The server can end a statement whose client is gone. */
  connectionCheck = true;
  /** The process that the handshake named; another one answers through a pooler. */
  get greetedBy(): number {
    const pid = (this.client as unknown as { processID: number | null }).processID;
    return pid ?? 0;
  }

  /** Of the server process; through a pooler only valid inside a transaction. */
  serverPid = 0;

  /** Which tables the last look found. */
  found: Found | undefined;

  private lost: Error | undefined;
  private running = 0;
  private missed = 0;
  private beating = false;
  private tickedAt = performance.now();
  private readonly heart: NodeJS.Timeout;
  private readonly onAbort = () => void this.interrupt();

  constructor(
    readonly run: BootRun,
    readonly client: Client,
    private readonly config: ClientConfig,
    /** application_name without a step. */
    readonly name: string,
  ) {
    client.on('error', (error: Error) => {
      // The first one says why; those that follow only say that it is closed.
      if (!this.lost || (codeOf(this.lost) === undefined && codeOf(error))) this.lost = error;
    });
    const beat = Math.min(run.settings.heartbeatMs, run.settings.deadlineMs / 4);
    this.heart = setInterval(() => void this.beat(), beat);
    this.heart.unref();
    run.signal.addEventListener('abort', this.onAbort);
  }

  /** One statement. Rejects at once when the run was aborted. */
  async query<Row extends QueryResultRow = QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<QueryResult<Row>> {
    this.run.signal.throwIfAborted();
    return this.send(() => this.client.query<Row>(text, values === undefined ? undefined : [...values]));
  }

  /** Several statements in one message: one implicit transaction for the server, one result each. */
  async script(text: string): Promise<QueryResult[]> {
    const result: QueryResult | QueryResult[] = await this.query(text);
    return Array.isArray(result) ? result : [result];
  }

  /** Runs work of others on this connection, under the same rules. */
  async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    this.run.signal.throwIfAborted();
    return this.send(() => work(this.client));
  }

  /**
   * Ends an open transaction, also after an abort. A lost connection has none. Sent in any case: an error is heard before
   * the server has said how the transaction stands.
   */
  async rollback(): Promise<void> {
    if (this.lost) return;
    await this.send(() => this.client.query('ROLLBACK')).catch(() => undefined);
  }

  inTransaction(): boolean {
    return this.client.getTransactionStatus() === 'T';
  }

  /** One statement on a second, short-lived connection. */
  async aside<Row extends QueryResultRow>(text: string, values: readonly unknown[]): Promise<Row[]> {
    const other = new Client({ ...this.config, connectionTimeoutMillis: 5_000, query_timeout: 5_000 });
    other.on('error', () => undefined);
    try {
      await other.connect();
      return (await other.query<Row>(text, [...values])).rows;
    } finally {
      void other.end().catch(() => undefined);
    }
  }

  /** Closes the connection; the server then frees every lock of it. */
  async close(): Promise<void> {
    clearInterval(this.heart);
    this.run.signal.removeEventListener('abort', this.onAbort);
    if (this.lost || this.running > 0) this.destroy(new Error('Connection terminated'));
    else await this.client.end().catch(() => undefined);
  }

  private async send<T>(work: () => Promise<T>): Promise<T> {
    if (this.lost) throw new ConnectionLostError(this.lost, this.wasFrozen());
    this.running++;
    try {
      return await work();
    } catch (error) {
      if (this.lost || isLoss(error)) {
        this.lost ??= error instanceof Error ? error : new Error(String(error));
        throw new ConnectionLostError(codeOf(error) === undefined ? this.lost : error, this.wasFrozen());
      }
      throw error;
    } finally {
      this.running--;
    }
  }

  private wasFrozen(): boolean {
    return performance.now() - this.tickedAt > this.run.settings.idleTimeoutMs;
  }

  private destroy(reason: Error): void {
    this.lost ??= reason;
    this.client.connection.stream.destroy(reason);
  }

  /** Sign of life. While a statement runs the connection cannot answer, so a second one looks for it on the server. */
  private async beat(): Promise<void> {
    const { run } = this;
    const silence = performance.now() - this.tickedAt;
    this.tickedAt = performance.now();
    if (silence > run.settings.idleTimeoutMs) {
      run.abort(frozen(silence));
      return;
    }
    if (this.lost || run.signal.aborted) return;
    if (this.beating && ++this.missed >= 3) {
      this.destroy(new Error('Connection terminated: three signs of life were not answered'));
      return;
    }
    if (this.beating) return;
    this.beating = true;
    try {
      if (this.running === 0) await this.client.query('SELECT 1');
      else if (this.serverPid !== 0) await this.lookAside();
      this.missed = 0;
    } catch {
      this.missed++;
      if (this.missed >= 3) this.destroy(new Error('Connection terminated: three signs of life failed'));
    } finally {
      this.beating = false;
    }
  }

  private async lookAside(): Promise<void> {
    const rows = await this.aside<{ state: string }>('SELECT state FROM pg_stat_activity WHERE pid = $1', [
      this.serverPid,
    ]);
    if (this.running === 0) return;
    if (rows[0]?.state === 'active') this.run.progress();
    else throw new Error('the server does not run our statement');
  }

  /** Abort: cancel what runs; if that does not end it within 3 s, cut the line and leave the rest to the server. */
  private async interrupt(): Promise<void> {
    if (this.running === 0 || this.lost) return;
    const cut = setTimeout(() => this.destroy(new Error('Connection terminated by abort')), 3_000);
    cut.unref();
    await this.aside('SELECT pg_cancel_backend($1)', [this.serverPid]).catch(() => undefined);
  }
}

const frozen = (ms: number): LifecycleError =>
  new LifecycleError(
    'no_progress',
    `this process was frozen for ${Math.round(ms / 1000)} s; the server ended its session and others went on`,
    { hint: 'Start it again. Look for CPU throttling, memory pressure or a suspended machine.' },
  );
