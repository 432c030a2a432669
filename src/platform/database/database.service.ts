import { Injectable } from '@nestjs/common';
import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { jitter, monotonicMs, now } from '../clock/clock.js';
import type { PrismaClient } from '../../generated/prisma/client.js';
import { DomainError } from '../errors/domain-error.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { exemplarOf, openChildSpan, type SpanStart } from '../logging/tracing.js';
import { classify, type DatabaseFault, isTransient } from './database-error.js';
import type { Db, Tx } from './db.js';
import { type Sql, sql, statementName } from './sql.js';

/** The database was touched before the schema was verified: a defect of the caller, and it fails the boot. */
export class DatabaseNotVerifiedError extends Error {
  readonly exitCode = 21;
  constructor() {
    super(
      'the database was used before its schema was verified; use it in onModuleInit or later, never in a constructor or a factory',
    );
    this.name = 'DatabaseNotVerifiedError';
  }
}

/** Asks again until the database answers: while the process starts, an outage is waited for. */
export type Patience = <T>(work: () => Promise<T>) => Promise<T>;

const SLOW_MS = 1000;
const MAX_ATTEMPTS = 3;

/** A statement by what it does to which table, and the name under which it is prepared. Its text holds no values. */
function describe(text: string): SpanStart {
  const verb = /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? 'QUERY';
  const table = /\b(?:FROM|INTO|UPDATE)\s+([a-z_][\w.]*)/i.exec(text)?.[1];
  const name = table === undefined ? verb : `${verb} ${table}`;
  return {
    name,
    kind: 'client',
    facts: { 'db.system.name': 'postgresql', 'db.query.summary': name, 'db.statement.name': statementName(text) },
  };
}

/** One statement that took more than a second: its text has placeholders only. */
export interface SlowQuery {
  text: string;
  ms: number;
  at: Date;
}

/**
 * The application's only way to PostgreSQL. Closed until `DatabaseModule` has verified the schema; there is no client
 * before that, and no setting opens it earlier.
 */
@Injectable()
export class DatabaseService implements Db {
  private pool: Pool | undefined;
  private orm: Promise<PrismaClient> | undefined;
  private prepared = true;
  private patience: Patience | undefined;
  private readonly refusals = new Set<string>();
  private readonly faultListeners: ((fault: DatabaseFault) => void)[] = [];
  readonly slowQueries: SlowQuery[] = [];

  constructor(private readonly log: Log) {}

  get verified(): boolean {
    return this.pool !== undefined;
  }

  /** The pool; throws while the gate is closed. Only platform capabilities that need a raw connection use it. */
  get connections(): Pool {
    if (!this.pool) throw new DatabaseNotVerifiedError();
    return this.pool;
  }

  /**
   * Opens the gate. `prepared: false` behind a transaction pooler, where named statements do not survive. With
   * `patience` statements outlast an outage until `serve` is called.
   */
  open(pool: Pool, options: { prepared: boolean; patience?: Patience }): void {
    this.pool = pool;
    this.prepared = options.prepared;
    this.patience = options.patience;
  }

  /** The start is over: from now on what fails, fails at once. */
  serve(): void {
    this.patience = undefined;
  }

  /** While there is a reason (the server is down, the schema is not ours), statements fail at once instead of queueing. */
  refuse(reason: string, refusing: boolean): void {
    if (refusing) this.refusals.add(reason);
    else this.refusals.delete(reason);
  }

  onFault(listener: (fault: DatabaseFault) => void): void {
    this.faultListeners.push(listener);
  }

  async close(): Promise<void> {
    const { pool, orm } = this;
    this.pool = undefined;
    this.orm = undefined;
    if (orm) await (await orm).$disconnect();
    await pool?.end();
  }

  /**
   * Prisma's client on the same pool, for reads and single-row writes off the hot path; loaded at first use. It never
   * joins a transaction of `tx`.
   */
  async prisma(): Promise<PrismaClient> {
    const pool = this.connections;
    this.orm ??= Promise.all([import('../../generated/prisma/client.js'), import('@prisma/adapter-pg')]).then(
      ([{ PrismaClient }, { PrismaPg }]) =>
        new PrismaClient({ adapter: new PrismaPg(pool, { disposeExternalPool: false }) }),
    );
    return this.orm;
  }

  async query<Row extends QueryResultRow>(statement: Sql): Promise<Row[]> {
    return (await this.again(() => this.run<Row>(this.connections, statement))).rows;
  }

  async execute(statement: Sql): Promise<number> {
    return (await this.again(() => this.run(this.connections, statement))).rowCount ?? 0;
  }

  /**
   * Runs `work` in one transaction. A serialization failure or a deadlock repeats the whole of it, at most three times,
   * so `work` must do nothing but statements; what has to follow the commit goes through `tx.afterCommit`.
   */
  tx<Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> {
    return this.again(() => this.attempt(work));
  }

  /** What a serialization failure or a deadlock rolled back left nothing behind; a statement by itself is a transaction too. */
  private async again<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        const { patience } = this;
        return await (patience ? patience(work) : work());
      } catch (error) {
        if (!isTransient(error)) throw error;
        if (attempt === MAX_ATTEMPTS) throw new DomainError('overloaded', {}, { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 10 * attempt + jitter(20 * attempt)));
      }
    }
  }

  /** Every statement of `work` reads the same snapshot of the primary; none may write. */
  async snapshot<Result>(work: (db: Db) => Promise<Result>): Promise<Result> {
    return this.attempt(work, 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  }

  private async attempt<Result>(work: (tx: Tx) => Promise<Result>, begin = 'BEGIN'): Promise<Result> {
    this.requireServing();
    const client = await this.connections.connect();
    const committed: (() => void)[] = [];
    let broken: Error | undefined;
    try {
      await client.query(begin);
      const tx: Tx = {
        transaction: true,
        query: async <Row extends QueryResultRow>(statement: Sql) => (await this.run<Row>(client, statement)).rows,
        execute: async (statement) => (await this.run(client, statement)).rowCount ?? 0,
        afterCommit: (action) => committed.push(action),
      };
      const result = await work(tx);
      await client.query('COMMIT');
      for (const action of committed) action();
      return result;
    } catch (error) {
      await client.query('ROLLBACK').catch((failure: Error) => {
        broken = failure;
      });
      throw error;
    } finally {
      client.release(broken);
    }
  }

  private async run<Row extends QueryResultRow>(target: Pool | PoolClient, statement: Sql) {
    if (target === this.pool) this.requireServing();
    const { text, values } = statement.compile();
    const startedAt = monotonicMs();
    const span = openChildSpan(() => describe(text));
    let failure: string | undefined;
    try {
      return await target.query<Row>(this.prepared ? { name: statementName(text), text, values } : { text, values });
    } catch (error) {
      const fault = classify(error);
      failure = fault.class;
      metrics.dbErrors.inc({ class: fault.class });
      for (const listener of this.faultListeners) listener(fault);
      throw error;
    } finally {
      const ms = monotonicMs() - startedAt;
      metrics.dbDuration.observe({ value: ms / 1000, exemplarLabels: exemplarOf(span) });
      span?.end(failure === undefined ? {} : { error: failure });
      if (ms > SLOW_MS) this.recordSlow(text, ms);
    }
  }

  private requireServing(): void {
    if (this.refusals.size > 0 && !this.patience) throw new DomainError('database_unavailable');
  }

  private recordSlow(text: string, ms: number): void {
    metrics.dbSlowQueries.inc();
    this.slowQueries.push({ text: text.replaceAll(/\s+/g, ' ').trim().slice(0, 500), ms: Math.round(ms), at: now() });
    if (this.slowQueries.length > 100) this.slowQueries.shift();
    this.log.warn('db.slow_query', { dur_ms: Math.round(ms), statement: statementName(text) });
  }

  /** The first statement: it names the connection that was made before its name was known. */
  async introduce(applicationName: string): Promise<void> {
    await this.query(sql`SELECT set_config('application_name', ${applicationName}, false)`);
  }

  /** One round trip to the server; rejects when it does not answer. */
  async ping(): Promise<void> {
    await this.query(sql`SELECT 1`);
  }
}
