import { randomUUID } from 'node:crypto';

import { codeOf } from './errors.js';
import type { MigrationFile } from './migration-files.js';
import type { Session } from './session.js';
import { createHistory, historyTable, lifecycleTables, literal } from './tables.js';

/**
 * Statements on the history table. Every time is the server's: the clocks of replicas do not matter. Rows look as stock
 * Prisma's own, so its commands read them without a difference.
 */
export class History {
  private readonly t;

  constructor(private readonly session: Session) {
    this.t = lifecycleTables(session.run.schema);
  }

  /** In the transaction that writes the first rows, never alone. */
  async ensureTable(): Promise<void> {
    if (!(await this.exists())) await this.session.query(createHistory(this.t));
  }

  async exists(): Promise<boolean> {
    const { rows } = await this.session.query<{ found: boolean }>('SELECT to_regclass($1) IS NOT NULL AS found', [
      this.t.history,
    ]);
    return rows[0]?.found === true;
  }

  async isApplied(name: string): Promise<boolean> {
    if (!(await this.exists())) return false;
    const { rowCount } = await this.session.query(
      `SELECT FROM ${this.t.history} WHERE migration_name = $1 AND finished_at IS NOT NULL AND rolled_back_at IS NULL`,
      [name],
    );
    return (rowCount ?? 0) > 0;
  }

  /** A statement that writes the row of an applied file, or fails when the transaction is not the one `xid` names. */
  insertApplied(file: MigrationFile, xid: string): string {
    return `INSERT INTO ${this.t.history} (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     VALUES ('${randomUUID()}', '${file.checksum}', ${literal(file.name)}, now(), clock_timestamp(),
       CASE WHEN pg_current_xact_id_if_assigned()::text = '${xid}' THEN 1 END)`;
  }

  /** Is this the failure of `insertApplied`: a row without its count of steps? */
  deniesTransaction(error: unknown): boolean {
    const { schema, table, column } = error as { schema?: string; table?: string; column?: string };
    const { run } = this.session;
    return (
      codeOf(error) === '23502' && schema === run.schema && table === historyTable && column === 'applied_steps_count'
    );
  }

  /** What `prisma migrate resolve --applied` writes. `offset` in microseconds keeps the order of several. */
  async insertResolved(file: Pick<MigrationFile, 'name' | 'checksum'>, offset = 0): Promise<void> {
    await this.session.query(
      `INSERT INTO ${this.t.history} (id, checksum, migration_name, logs, started_at, finished_at, applied_steps_count)
       SELECT $1, $2, $3, '', at, at, 0 FROM (SELECT now() + $4::int * interval '1 microsecond' AS at) t`,
      [randomUUID(), file.checksum, file.name, offset],
    );
  }

  /** A file that failed and left nothing: stock status says "pending". */
  async insertFailed(file: MigrationFile, logs: string): Promise<void> {
    await this.session.query(
      `INSERT INTO ${this.t.history} (id, checksum, migration_name, logs, started_at, rolled_back_at, applied_steps_count)
       VALUES ($1, $2, $3, $4, now(), now(), 0)`,
      [randomUUID(), file.checksum, file.name, logs],
    );
  }

  async insertUnfinished(file: MigrationFile): Promise<string> {
    const id = randomUUID();
    await this.session.query(
      `INSERT INTO ${this.t.history} (id, checksum, migration_name, started_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), 0)`,
      [id, file.checksum, file.name],
    );
    return id;
  }

  async countStep(id: string): Promise<void> {
    await this.session.query(
      `UPDATE ${this.t.history} SET applied_steps_count = applied_steps_count + 1 WHERE id = $1`,
      [id],
    );
  }

  async finish(id: string): Promise<void> {
    await this.session.query(`UPDATE ${this.t.history} SET finished_at = clock_timestamp() WHERE id = $1`, [id]);
  }

  async failUnfinished(id: string, logs: string): Promise<void> {
    await this.session.query(`UPDATE ${this.t.history} SET logs = $2, rolled_back_at = now() WHERE id = $1`, [
      id,
      logs,
    ]);
  }

  /** Answers whether the row was still open: behind a pooler another replica may have been first. */
  async rollBackUnfinished(id: string): Promise<boolean> {
    const { rowCount } = await this.session.query(
      `UPDATE ${this.t.history} SET rolled_back_at = now()
        WHERE id = $1 AND finished_at IS NULL AND rolled_back_at IS NULL`,
      [id],
    );
    return (rowCount ?? 0) > 0;
  }

  async acceptChecksum(id: string, checksum: string): Promise<void> {
    await this.session.query(`UPDATE ${this.t.history} SET checksum = $2 WHERE id = $1`, [id, checksum]);
  }

  async isEmpty(): Promise<boolean> {
    if (!(await this.exists())) return true;
    const { rowCount } = await this.session.query(`SELECT FROM ${this.t.history} LIMIT 1`);
    return (rowCount ?? 0) === 0;
  }

  /** Raises the least epoch a build must have; it is never lowered. */
  async raiseEpoch(epoch: number): Promise<void> {
    await this.session.query(
      `UPDATE ${this.t.meta} SET min_epoch = $1, updated_at = clock_timestamp() WHERE min_epoch < $1`,
      [epoch],
    );
  }
}
