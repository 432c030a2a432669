import type { HealthCheckResult } from '@nestjs/terminus';
import type { Backlog } from './platform-state.repository.js';

export type CheckStatus = 'pass' | 'warn' | 'fail';

/** One measurement in the manner of application/health+json. */
export interface Check {
  status: CheckStatus;
  time: string;
  observedValue?: unknown;
  observedUnit?: string;
  output?: string;
}

const statusOf = { up: 'pass', degraded: 'warn', down: 'fail' } as const;
const OUTBOX_OLD_S = 60;
const LOOP_SLOW_MS = 200;

/** The words of health+json for those of /ready. */
export const overall = (status: string): CheckStatus =>
  status === 'ok' ? 'pass' : status === 'degraded' ? 'warn' : 'fail';

/** The words of Terminus for those of /ready. */
export const terminusStatus = (status: string): 'ok' | 'degraded' | 'error' =>
  status === 'ok' || status === 'degraded' ? status : 'error';

/** Checks by `component:measurement`: every component's state, and the figures behind the usual questions. */
export function toChecks(
  details: HealthCheckResult['details'],
  facts: {
    pool: { total: number; idle: number; waiting: number };
    outbox: Backlog | null;
    loopDelayMs: number;
    at: Date;
  },
): Record<string, Check[]> {
  const time = facts.at.toISOString();
  const checks: Record<string, Check[]> = {};
  for (const [component, { status, ...observed }] of Object.entries(details)) {
    const output = typeof observed['error'] === 'string' ? { output: observed['error'] } : {};
    checks[`${component}:state`] = [{ status: statusOf[status], time, observedValue: observed, ...output }];
  }
  const measured = (value: number, observedUnit: string, tooMuch: boolean): Check[] => [
    { status: tooMuch ? 'warn' : 'pass', time, observedValue: value, observedUnit },
  ];
  checks['pool:waiting'] = measured(facts.pool.waiting, 'requests', facts.pool.waiting > 0);
  checks['pool:connections'] = measured(facts.pool.total, 'connections', false);
  checks['process:eventLoopDelay'] = measured(Math.round(facts.loopDelayMs), 'ms', facts.loopDelayMs > LOOP_SLOW_MS);
  if (facts.outbox) {
    checks['outbox:depth'] = measured(facts.outbox.depth, 'rows', false);
    checks['outbox:oldest'] = measured(
      Math.round(facts.outbox.oldestSeconds),
      's',
      facts.outbox.oldestSeconds > OUTBOX_OLD_S,
    );
  }
  return checks;
}
