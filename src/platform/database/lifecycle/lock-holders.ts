import { appKey, prismaKey } from './lock-keys.js';
import type { Session } from './session.js';
import type { LockHolder } from './types.js';

/** Keys are per database, so both are looked for in this one only; the session itself is left out. */
const holdersSql = (granted: boolean): string => `
  SELECT l.pid, coalesce(a.application_name, '') AS application, a.state,
         coalesce(extract(epoch FROM clock_timestamp() - a.backend_start) * 1000, 0)::float8 AS "ageMs",
         array_agg(l.objid::int ORDER BY l.objid) AS keys,
         max(p.phase || CASE WHEN p.blocks_total > 0 THEN ' ' || p.blocks_done * 100 / p.blocks_total || '%' ELSE '' END) AS activity
    FROM pg_locks l
    LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    LEFT JOIN pg_stat_progress_create_index p ON p.pid = l.pid
   WHERE l.locktype = 'advisory' AND l.classid = 0 AND l.objsubid = 1 AND l.objid IN (${appKey}, ${prismaKey})
     AND ${granted ? '' : 'NOT '}l.granted AND l.pid <> pg_backend_pid()
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
   GROUP BY l.pid, a.application_name, a.state, a.backend_start ORDER BY l.pid`;

export async function readHolders(session: Pick<Session, 'query'>): Promise<LockHolder[]> {
  return (await session.query<LockHolder>(holdersSql(true))).rows;
}

/** Sessions blocked inside `pg_advisory_lock`: none of ours, and the reason an index build may deadlock. */
export async function readBlockedWaiters(session: Pick<Session, 'query'>): Promise<LockHolder[]> {
  return (await session.query<LockHolder>(holdersSql(false))).rows;
}

export function describeHolders(holders: readonly LockHolder[]): string {
  if (holders.length === 0) return 'nobody (it was just released)';
  return holders
    .map(({ pid, application, state, ageMs, activity }) => {
      const age = `${Math.round(ageMs / 1000)} s old`;
      return `pid ${pid} ${application || '(unnamed)'} (${[state ?? 'unknown state', age, activity].filter(Boolean).join(', ')})`;
    })
    .join('; ');
}
