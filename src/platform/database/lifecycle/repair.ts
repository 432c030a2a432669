import type { ClientBase } from 'pg';
import type { Manifest } from './manifest.js';

/** One statement of a repair. Each is guarded, so running it again changes nothing. */
export interface RepairStatement {
  /** e.g. `column users.email` */
  object: string;
  sql: string;
  /** Must run outside a transaction (CONCURRENTLY). */
  concurrent: boolean;
}

/** What repair will not restore: data stands against it, or it would have to invent data. */
export interface RepairRefusal {
  object: string;
  reason: string;
  /** Rows that stand against it (duplicates, orphans, violations, rows without a value); 0 when not about rows. */
  rows: number;
  /** A query that lists them, or '' */
  query: string;
}

export interface RepairPlan {
  statements: RepairStatement[];
  refused: RepairRefusal[];
  /** Tables that will be created empty: their essential seeds have to run again. */
  createdTables: string[];
}

export interface RepairOptions {
  schema: string;
  /** Waiting time for a lock, ms; default 5000. */
  lockTimeoutMs?: number;
  /** Called once per executed statement; inside its transaction unless `statement.concurrent`. Writes the audit row. */
  audit: (statement: RepairStatement, ms: number) => Promise<void>;
  /** Wraps a CONCURRENTLY statement; the runner releases the Prisma key meanwhile. Default: just runs it. */
  concurrently?: (run: () => Promise<void>) => Promise<void>;
}

export interface RepairReport extends RepairPlan {
  /** DDL statements executed; 0 on a second run. */
  executed: number;
}

/** Reads the live schema and plans, without changing anything (`parley db repair --dry-run`). */
export async function planRepair(client: ClientBase, manifest: Manifest, schema: string): Promise<RepairPlan> {
  throw new Error(`not yet: ${String(client)} ${manifest.head} ${schema}`);
}

/** The plan as one idempotent script for psql (`parley db repair --sql`). */
export function repairScript(plan: RepairPlan, schema: string): string {
  throw new Error(`not yet: ${plan.statements.length} ${schema}`);
}

/**
 * Adds what the live schema lacks. Never drops, retypes or deletes. The caller holds the lifecycle locks, and is not in
 * a transaction. A refusal means exit 16 for the caller.
 */
export async function repair(client: ClientBase, manifest: Manifest, options: RepairOptions): Promise<RepairReport> {
  throw new Error(`not yet: ${String(client)} ${manifest.head} ${options.schema}`);
}
