import RateLimiterPostgres from 'rate-limiter-flexible/lib/RateLimiterPostgres.js';
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js';
import type { DatabaseService } from '../database/database.service.js';
import { sql } from '../database/sql.js';

interface Counted {
  count: number;
  msLeft: number;
}

interface Options {
  database: DatabaseService;
  keyPrefix: string;
  points: number;
  duration: number;
}

/**
 * The library's limiter on our own pool and table: its statements are replaced, so it makes no table at run time and
 * needs no clock but the database's. One row per key and window, one statement per request; a key over its limit is
 * refused from memory until its window ends, so a flood costs no statements.
 */
export class PostgresCounters extends RateLimiterPostgres {
  private readonly database: DatabaseService;

  constructor({ database, ...options }: Options) {
    super({
      ...options,
      storeClient: database,
      storeType: 'pool',
      tableCreated: true,
      clearExpiredByTimeout: false,
      inMemoryBlockOnConsumed: options.points + 1,
    });
    this.database = database;
  }

  async _upsert(key: string, points: number, ms: number): Promise<Counted> {
    const [row] = await this.database.query<Counted>(sql`
      WITH w AS (SELECT make_interval(secs => ${ms / 1000}) AS length,
                        date_bin(make_interval(secs => ${ms / 1000}), now(), timestamptz 'epoch') AS start)
      INSERT INTO rate_limit_counters AS c (key, window_start, count) SELECT ${key}, w.start, ${points} FROM w
      ON CONFLICT (key, window_start) DO UPDATE SET count = c.count + excluded.count
      RETURNING count, (SELECT ceil(extract(epoch FROM w.start + w.length - now()) * 1000)::int FROM w) AS "msLeft"`);
    if (!row) throw new Error('upsert returned no row');
    return row;
  }

  async _get(key: string): Promise<Counted | null> {
    const [row] = await this.database.query<Counted>(sql`
      SELECT count, 0 AS "msLeft" FROM rate_limit_counters WHERE key = ${key} ORDER BY window_start DESC LIMIT 1`);
    return row ?? null;
  }

  async _delete(key: string): Promise<boolean> {
    return (await this.database.execute(sql`DELETE FROM rate_limit_counters WHERE key = ${key}`)) > 0;
  }

  _getRateLimiterRes(_key: string, changed: number, { count, msLeft }: Counted): RateLimiterRes {
    return new RateLimiterRes(Math.max(this.points - count, 0), msLeft, count, count === changed);
  }
}
