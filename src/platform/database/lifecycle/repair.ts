import type { ClientBase } from 'pg';

import { codeOf, messageOf } from './errors.js';
import { readLiveObjects } from './manifest-read.js';
import type { Manifest } from './manifest.js';
import { makePlan } from './repair-plan.js';
import type { RepairPlan, RepairRefusal, RepairStatement } from './repair-types.js';

export type { RepairPlan, RepairRefusal, RepairStatement };

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
  /** Statements executed; 0 on a second run. */
  executed: number;
}

/** Reads the live schema and plans, without changing anything (`parley db repair --dry-run`). */
export function planRepair(client: ClientBase, manifest: Manifest, schema: string): Promise<RepairPlan> {
  return onSearchPath(client, schema, async () => makePlan(client, manifest, await readLiveObjects(client, schema)));
}

/** The plan as one idempotent script for psql, without `--single-transaction` (`parley db repair --sql`). */
export function repairScript(plan: RepairPlan, schema: string): string {
  const refusals = plan.refused.map(({ object, reason, rows }) => `-- left out: ${object}: ${reason} (${rows} rows)`);
  const statements = plan.statements.map(({ object, sql }) => `-- ${object}\n${sql};`);
  const settings = [`SET search_path = "${schema.replaceAll('"', '""')}"`, `SET lock_timeout = '5s'`, SETTINGS];
  return [...settings.map((sql) => `${sql};`), ...refusals, ...statements].join('\n').concat('\n');
}

/** A function may name what a later statement creates. */
const SETTINGS = 'SET check_function_bodies = off';

/**
 * Adds what the live schema lacks. Never drops, retypes or deletes. The caller holds the lifecycle locks, and is not in
 * a transaction. A refusal means exit 16 for the caller.
 */
export async function repair(client: ClientBase, manifest: Manifest, options: RepairOptions): Promise<RepairReport> {
  const plan = await planRepair(client, manifest, options.schema);
  const report: RepairReport = { ...plan, refused: [...plan.refused], executed: 0 };
  if (plan.statements.length === 0) return report;
  const failed = new Set<string>();
  await onSearchPath(client, options.schema, async () => {
    await client.query(SETTINGS);
    for (const statement of plan.statements) {
      if (failed.has(statement.object)) continue;
      try {
        await (statement.concurrent ? runConcurrent : runInTransaction)(client, statement, options);
        report.executed += 1;
      } catch (error) {
        const refusal = refusalOf(statement, error);
        if (refusal === undefined) throw error;
        failed.add(statement.object);
        report.refused.push(refusal);
      }
    }
    await client.query('RESET check_function_bodies');
  });
  return report;
}

/** Data or dependencies that changed since the plan stand against one object, not against the others. */
function refusalOf({ object }: RepairStatement, error: unknown): RepairRefusal | undefined {
  const code = codeOf(error) ?? '';
  return /^(23|42)/.test(code) ? { object, reason: `${messageOf(error)} (${code})`, rows: 0, query: '' } : undefined;
}

async function runInTransaction(client: ClientBase, statement: RepairStatement, options: RepairOptions): Promise<void> {
  const start = performance.now();
  await client.query(`BEGIN; SET LOCAL lock_timeout = ${options.lockTimeoutMs ?? 5000}`);
  try {
    await client.query(statement.sql);
    await options.audit(statement, performance.now() - start);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** A lock timeout would leave an invalid index, and waiting here blocks nobody. */
async function runConcurrent(client: ClientBase, statement: RepairStatement, options: RepairOptions): Promise<void> {
  const start = performance.now();
  const run = async (): Promise<void> => {
    await client.query('SET lock_timeout = 0');
    await client.query(statement.sql);
  };
  await (options.concurrently ?? ((work) => work()))(run);
  await options.audit(statement, performance.now() - start);
}

/** Runs work with the schema, and those that extensions live in, on the search path; puts the old path back. */
async function onSearchPath<T>(client: ClientBase, schema: string, work: () => Promise<T>): Promise<T> {
  const { rows } = await client.query<{ old: string; extensions: string[] }>(
    `SELECT current_setting('search_path') AS old,
            ARRAY(SELECT DISTINCT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                  WHERE n.nspname <> 'pg_catalog') AS extensions`,
  );
  const path = [...new Set([schema, ...(rows[0]?.extensions ?? [])])].map((name) => client.escapeIdentifier(name));
  await client.query("SELECT set_config('search_path', $1, false)", [path.join(', ')]);
  try {
    return await work();
  } finally {
    await client.query("SELECT set_config('search_path', $1, false)", [rows[0]?.old ?? '']).catch(() => undefined);
  }
}
