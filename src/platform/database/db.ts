import type { QueryResultRow } from 'pg';
import type { Sql } from './sql.js';

/**
 * Where a repository runs its statements: the pool, or the transaction of its caller. Every repository method takes
 * it, so the wrong use does not compile. Rows come with bigint as number (all of ours stay below 2^53), times as Date.
 */
export interface Db {
  query<Row extends QueryResultRow>(statement: Sql): Promise<Row[]>;
  /** Runs a statement for its effect; answers the number of rows it touched. */
  execute(statement: Sql): Promise<number>;
}

/** A `Db` inside a transaction. Only `tx` makes one; what must be atomic asks for it by type. */
export interface Tx extends Db {
  readonly transaction: true;
  /** Runs `work` after COMMIT; never after ROLLBACK. It must not throw. */
  afterCommit(work: () => void): void;
}
