import type { IndexStatistics, TableStatistics } from './database-statistics.repository.js';

export interface IndexAdvice {
  table: string;
  index: string | null;
  advice: 'missing' | 'unused';
  reason: string;
}

const MANY_ROWS = 10_000;
const MANY_SCANS = 1000;
const WORTHWHILE_BYTES = 1_000_000;

/** Hints, not findings: large tables that are mostly read whole, and large indexes which nothing has used. */
export function indexAdvice(tables: readonly TableStatistics[], indexes: readonly IndexStatistics[]): IndexAdvice[] {
  const missing = tables
    .filter((t) => t.rows >= MANY_ROWS && t.sequentialScans >= MANY_SCANS && t.sequentialScans > t.indexScans)
    .map((t) => ({
      table: t.table,
      index: null,
      advice: 'missing' as const,
      reason: `read whole ${t.sequentialScans} times, through an index ${t.indexScans} times`,
    }));
  const unused = indexes
    .filter((i) => !i.unique && i.scans === 0 && i.bytes >= WORTHWHILE_BYTES)
    .map((i) => ({
      table: i.table,
      index: i.index,
      advice: 'unused' as const,
      reason: `never used and ${Math.round(i.bytes / 1_000_000)} MB large`,
    }));
  return [...missing, ...unused];
}
