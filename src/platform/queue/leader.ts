import { DatabaseService } from '../database/database.service.js';
import { type Sql, sql } from '../database/sql.js';
import { BackgroundWork } from '../lifecycle/background-work.js';
import { Log } from '../logging/log.js';

/** One run of an elected job, as its holder sees it. */
export interface Term {
  /** Grows with every term of the job, on whatever replica. */
  fence: number;
  /** Aborts when the process stops or somebody else holds the job. */
  signal: AbortSignal;
  /**
   * A query with one row while this term is the job's latest, which it stays until the transaction ends. A write that
   * depends on it is refused to a holder who was frozen and has been replaced.
   */
  holds: Sql;
}

/** A job that one replica at a time may run, once per period. */
export interface ElectedJob<Result = unknown> {
  name: string;
  /** When a replica asks to be elected: a cron expression with seconds (UTC), or milliseconds between attempts. */
  every: string | number;
  /** Least milliseconds between two starts, over all replicas. A run that somebody asks for does not wait. */
  periodMs: number;
  run(term: Term): Promise<Result>;
}

/** How a job stands, whichever replica ran it. */
export interface JobLease {
  job: string;
  /** The replica that runs it now, or null. */
  holder: string | null;
  lastRunAt: Date | null;
  /** `{ok: true, ...}` with what the run answered, or `{ok: false}`; null during the first run. */
  lastResult: Record<string, unknown> | null;
  nextRunAt: Date | null;
}

const TTL_S = 30;
const HEARTBEAT_MS = 10_000;

/** Elects who runs a job: a lease in the database with a fencing number, not a lock alone (a frozen holder keeps believing). */
export class Leader {
  constructor(
    private readonly replicaId: string,
    private readonly database: DatabaseService,
    private readonly background: BackgroundWork,
    private readonly log: Log,
  ) {}

  /** Registers a job with the background work of every replica; each attempt runs it only where the lease is won. */
  register(job: ElectedJob): void {
    this.background.registerJob({
      name: job.name,
      every: job.every,
      run: (signal, asked) => this.runElected(job, signal, asked),
    });
  }

  /** Runs the job if it is due (or `asked` for) and nobody holds it; answers its result, undefined when it was not run. */
  async runElected<Result>(job: ElectedJob<Result>, stop: AbortSignal, asked = false): Promise<Result | undefined> {
    const fence = await this.elect(job, asked);
    if (fence === undefined) return undefined;
    const lost = new AbortController();
    const heartbeat = setInterval(() => void this.renew(job.name, fence, lost), HEARTBEAT_MS);
    try {
      const holds = sql`SELECT 1 FROM job_lease WHERE job = ${job.name} AND fence = ${fence} FOR SHARE`;
      const result = await job.run({ fence, signal: AbortSignal.any([stop, lost.signal]), holds });
      await this.release(job.name, fence, { ok: true, ...asRecord(result) });
      return result;
    } catch (error) {
      await this.release(job.name, fence, { ok: false });
      throw error;
    } finally {
      clearInterval(heartbeat);
    }
  }

  /** Every job that was ever run. */
  async leases(): Promise<JobLease[]> {
    return this.database.query<JobLease>(sql`
      SELECT job, CASE WHEN expires_at > now() THEN holder END AS holder, last_run_at AS "lastRunAt",
             last_result AS "lastResult", next_run_at AS "nextRunAt"
      FROM job_lease ORDER BY job`);
  }

  private async elect({ name, periodMs }: ElectedJob, asked: boolean): Promise<number | undefined> {
    const period = periodMs / 1000;
    // A tenth early counts as due: clocks of the replicas' timers differ.
    const [row] = await this.database.query<{ fence: number }>(sql`
      INSERT INTO job_lease AS l (job, holder, fence, expires_at, last_run_at, next_run_at)
      VALUES (${name}, ${this.replicaId}, 1, now() + make_interval(secs => ${TTL_S}), now(), now() + make_interval(secs => ${period}))
      ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, fence = l.fence + 1, expires_at = excluded.expires_at,
                                      last_run_at = excluded.last_run_at, next_run_at = excluded.next_run_at
      WHERE l.expires_at <= now()
        AND (${asked} OR l.next_run_at IS NULL OR l.next_run_at <= now() + make_interval(secs => ${period / 10}))
      RETURNING fence`);
    return row?.fence;
  }

  /** Never rejects: one heartbeat may be lost, and after three the lease has run out by itself. */
  private async renew(job: string, fence: number, lost: AbortController): Promise<void> {
    try {
      const held = await this.database.execute(sql`
        UPDATE job_lease SET expires_at = now() + make_interval(secs => ${TTL_S}) WHERE job = ${job} AND fence = ${fence}`);
      if (held === 0) lost.abort();
    } catch (error) {
      this.log.warn('job.heartbeat_failed', { job, err: error });
    }
  }

  /** Never rejects: without it the lease runs out by itself. */
  private async release(job: string, fence: number, result: Record<string, unknown>): Promise<void> {
    try {
      await this.database.execute(sql`
        UPDATE job_lease SET expires_at = now(), last_result = ${JSON.stringify(result)}::jsonb
        WHERE job = ${job} AND fence = ${fence}`);
    } catch (error) {
      this.log.warn('job.release_failed', { job, err: error });
    }
  }
}

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {};
