import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;
const read = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
/** Fields of /proc/<pid>/stat after the name, which may hold anything. */
const statOf = (pid) => read(`/proc/${pid}/stat`).split(') ')[1]?.split(' ') ?? [];
const ticks = (stat, fields) => fields.reduce((sum, field) => sum + Number(stat[field] ?? 0), 0);
const OWN = [11, 12];
const WITH_ENDED_CHILDREN = [11, 12, 13, 14];

/** CPU-seconds of a process, and of a PostgreSQL server with all of its backends. */
export const processCpu = (pid) => ticks(statOf(pid), OWN) / TICKS_PER_SECOND;
export function databaseCpu(postmaster) {
  let sum = ticks(statOf(postmaster), WITH_ENDED_CHILDREN);
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = statOf(pid);
    if (Number(stat[1]) === postmaster) sum += ticks(stat, OWN);
  }
  return sum / TICKS_PER_SECOND;
}

/** Resident memory in KiB. */
export const residentKiB = (pid) => Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);

/** Mean and standard deviation in ms of latencies in ms. */
export function spread(latencies) {
  const mean = latencies.reduce((sum, one) => sum + one, 0) / (latencies.length || 1);
  const variance = latencies.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (latencies.length || 1);
  return { average: round(mean), deviation: round(Math.sqrt(variance)) };
}

/** p50, p95, p99 and max in ms of latencies in ms. */
export function percentiles(latencies) {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: round(sorted.at(-1) ?? 0) };
}

export const round = (value, digits = 2) => Math.round(value * 10 ** digits) / 10 ** digits;
export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
