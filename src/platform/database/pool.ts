import pg from 'pg';
import { Config } from '../config/config.js';
import { Log } from '../logging/log.js';
import { clientConfig } from './lifecycle/connection-url.js';

const INT8 = 20;
const INT8_ARRAY = 1016;
const IDLE_IN_TRANSACTION_MS = 10_000;

/** Whatever the role or the database has: what values look like on the wire, and where a day begins. */
const SESSION = [
  ['TimeZone', 'UTC'],
  ['DateStyle', 'ISO'],
  ['IntervalStyle', 'postgres'],
] as const;
const SESSION_SQL = SESSION.map(([name, value]) => `SET ${name} = '${value}'`).join('; ');

/** Sequence numbers and counts stay below 2^53, so bigint columns are plain numbers everywhere in Parley. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return Number;
    if (oid === INT8_ARRAY) return (text: string) => text.slice(1, -1).split(',').filter(Boolean).map(Number);
    return pg.types.getTypeParser(oid, format as 'text');
  }) as typeof pg.types.getTypeParser,
};

/** What a pooler keeps for each of its clients is set by a statement, which the pool waits for. */
const behindPooler: { onConnect: (client: pg.ClientBase) => Promise<unknown> } = {
  onConnect: (client) => client.query(SESSION_SQL),
};

export interface PoolOptions {
  connectionString: string;
  applicationName: string;
  /** A transaction pooler refuses settings at connect and forgets them between transactions. */
  pooler: boolean;
}

/** The application pool. Every wait in it has a limit; the server enforces those on statements, so they hold when we hang. */
export function createPool(
  config: Config,
  { connectionString, applicationName, pooler }: PoolOptions,
  log: Log,
): pg.Pool {
  const settings = pooler
    ? {}
    : {
        application_name: applicationName,
        statement_timeout: Math.round(config.DB_STATEMENT_TIMEOUT_MS * 0.9),
        lock_timeout: config.DB_LOCK_TIMEOUT_MS,
        idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
        // public: where pg_trgm is when it is not in our schema
        options: `${SESSION.map(([name, value]) => `-c ${name}=${value}`).join(' ')} -c search_path=${config.DB_SCHEMA},public -c client_connection_check_interval=5s`,
      };
  const pool = new pg.Pool({
    max: config.DB_POOL_MAX,
    idleTimeoutMillis: config.DB_POOL_IDLE_MS,
    connectionTimeoutMillis: config.DB_ACQUIRE_TIMEOUT_MS,
    query_timeout: config.DB_STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    types,
    ...settings,
    ...(pooler ? behindPooler : {}),
    // Last: `options` of the URL go before ours.
    ...clientConfig(connectionString, 'DATABASE_URL'),
  });
  // Without a listener an idle connection that dies ends the process.
  pool.on('error', (error) => log.warn('db.error', { stage: 'idle', err: error }));
  // The pool listens to idle clients only. One that dies between two statements of a transaction fails the next of them.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
