import type pg from 'pg';
import type { Config } from '../config/config.js';
import type { Log } from '../logging/log.js';
import { createPool } from './pool.js';

/** Not `parley/app/...`: a replica counts as one that uses the schema when it has its epoch, which is not known yet. */
const APPLICATION_NAME = 'parley/lifecycle/pool';

/**
 * The application's pool with one connection that is made while the application loads, where a handshake costs no time.
 * Nobody can send a statement over it before the schema is verified and the pool is taken.
 */
export class EarlyPool {
  private readonly pool: pg.Pool;
  private readonly connected: Promise<void>;
  private ended: Promise<void> | undefined;

  /** Connects once `first` is there: of few free connections the lifecycle needs one more. */
  constructor(config: Config, connectionString: string, log: Log, first: Promise<unknown>) {
    this.pool = createPool(config, { connectionString, applicationName: APPLICATION_NAME, pooler: false }, log);
    this.connected = this.connect(first);
  }

  /** The pool; connections from now on have the name. The one that is there gets it by the first statement. */
  async take(applicationName: string): Promise<pg.Pool> {
    await this.connected;
    this.pool.options.application_name = applicationName;
    return this.pool;
  }

  end(): Promise<void> {
    this.ended ??= this.pool.ended ? Promise.resolve() : this.pool.end();
    return this.ended;
  }

  /** Never rejects: what cannot connect now is tried again, and explained, with the first statement. */
  private async connect(first: Promise<unknown>): Promise<void> {
    try {
      await first;
      (await this.pool.connect()).release();
    } catch {}
  }
}
