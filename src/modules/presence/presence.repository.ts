import type { Db, Tx } from '../../platform/database/db.js';
import { type Sql, sql } from '../../platform/database/sql.js';
import type { Activity, PresenceMode, PresenceRow } from './presence.rules.js';

/** A device is live while the lease of its replica is, whether or not anybody has cleaned up. */
const liveEntry = sql`
  FROM presence_entries e JOIN replica_lease l ON l.replica_id = e.replica_id AND l.expires_at > now()`;

export interface Entry {
  userId: string;
  activity: Activity;
}

/**
 * Those of the ids that were ever online or chose a mode; in no order. Nothing is written while somebody stays: who is
 * here was seen when the lease of their replica was last renewed, `leaseSeconds` before it ends.
 */
export const findPresence = (db: Db, ids: readonly string[], leaseSeconds: number): Promise<PresenceRow[]> =>
  db.query<PresenceRow>(sql`
    SELECT s.user_id AS "userId", s.mode, s.ver,
           greatest(s.last_seen_at, d.until - make_interval(secs => ${leaseSeconds})) AS "lastSeenAt",
           CASE WHEN NOT s.is_online OR d.n = 0 THEN NULL WHEN d.dnd THEN 'dnd' WHEN d.active THEN 'active' ELSE 'idle' END AS activity
    FROM presence_state s
    CROSS JOIN LATERAL (
      SELECT count(*) FILTER (WHERE l.expires_at > now()) AS n, max(l.expires_at) AS until,
             bool_or(e.state = 'dnd') FILTER (WHERE l.expires_at > now()) AS dnd,
             bool_or(e.state = 'active') FILTER (WHERE l.expires_at > now()) AS active
      FROM presence_entries e JOIN replica_lease l ON l.replica_id = e.replica_id
      WHERE e.user_id = s.user_id) AS d
    WHERE s.user_id = ANY(${ids}::uuid[])`);

/**
 * The lock under which a user's entries and mark change together: who waits for it sees, in the next statement, what
 * the one before did. In one order, so that two replicas cannot wait for each other.
 */
export const lockPresence = (tx: Tx, ids: readonly string[]): Promise<unknown> =>
  tx.execute(sql`SELECT 1 FROM presence_state WHERE user_id = ANY(${ids}::uuid[]) ORDER BY user_id FOR UPDATE`);

/** Users have a device here now, or another activity on it. */
export const enter = (tx: Tx, replicaId: string, entries: readonly Entry[]): Promise<number> =>
  tx.execute(sql`
    WITH here AS (
      SELECT * FROM unnest(${entries.map((e) => e.userId)}::uuid[], ${entries.map((e) => e.activity)}::presence_activity[])
        AS i (user_id, activity) ORDER BY user_id),
    entered AS (
      INSERT INTO presence_entries (user_id, replica_id, state, since)
      SELECT user_id, ${replicaId}, activity, clock_timestamp() FROM here
      ON CONFLICT (user_id, replica_id) DO UPDATE SET state = excluded.state, since = excluded.since)
    INSERT INTO presence_state AS s (user_id, is_online, last_seen_at, ver)
    SELECT user_id, true, clock_timestamp(), 1 FROM here ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET is_online = true, last_seen_at = excluded.last_seen_at, ver = s.ver + 1`);

/** Users have no device here any more; they stay online with a live one elsewhere. Needs `lockPresence` before. */
export async function leave(tx: Tx, replicaId: string, userIds: readonly string[]): Promise<void> {
  await tx.execute(sql`
    DELETE FROM presence_entries WHERE user_id = ANY(${userIds}::uuid[]) AND replica_id = ${replicaId}`);
  await tx.execute(sql`
    UPDATE presence_state s SET is_online = EXISTS (SELECT ${liveEntry} WHERE e.user_id = s.user_id),
           last_seen_at = clock_timestamp(), ver = s.ver + 1
    WHERE s.user_id = ANY(${userIds}::uuid[])`);
}

export const setMode = (db: Db, userId: string, mode: PresenceMode): Promise<number> =>
  db.execute(sql`
    INSERT INTO presence_state AS s (user_id, mode, ver) VALUES (${userId}, ${mode}, 1)
    ON CONFLICT (user_id) DO UPDATE SET mode = excluded.mode, ver = s.ver + 1 WHERE s.mode <> excluded.mode`);

/**
 * Removes what dead replicas left, in one statement, writes down when their users were seen last, and marks those offline
 * who are seen nowhere and were not within `staleSeconds`. Nobody who comes back meanwhile is undone: a lease renewed meanwhile is re-checked by its own row lock,
 * entries written meanwhile are too young, and a user being written is skipped.
 * @param term a query with a row while the caller may do this
 */
export async function cleanUp(
  db: Db,
  { term, leaseSeconds, staleSeconds }: { term: Sql; leaseSeconds: number; staleSeconds: number },
): Promise<{ entries: number; users: string[] }> {
  const [row] = await db.query<{ entries: number; users: string[] }>(sql`
    WITH term AS MATERIALIZED (${term}),
    dead AS (
      DELETE FROM replica_lease WHERE expires_at <= now() AND EXISTS (SELECT FROM term) RETURNING replica_id, expires_at),
    gone AS (
      DELETE FROM presence_entries e
      WHERE EXISTS (SELECT FROM term)
        AND (e.replica_id IN (SELECT replica_id FROM dead)
             OR (e.since < now() - make_interval(secs => ${leaseSeconds})
                 AND NOT EXISTS (SELECT FROM replica_lease l WHERE l.replica_id = e.replica_id)))
      RETURNING e.user_id, e.replica_id, e.since),
    left_behind AS MATERIALIZED (
      SELECT g.user_id, max(greatest(g.since, d.expires_at - make_interval(secs => ${leaseSeconds}))) AS seen
      FROM gone g LEFT JOIN dead d USING (replica_id) GROUP BY g.user_id),
    unseen AS (
      SELECT s.user_id, l.seen FROM presence_state s LEFT JOIN left_behind l USING (user_id)
      WHERE s.is_online AND (l.user_id IS NOT NULL OR s.last_seen_at < now() - make_interval(secs => ${staleSeconds}))
        AND NOT EXISTS (SELECT ${liveEntry} WHERE e.user_id = s.user_id) AND EXISTS (SELECT FROM term)
      FOR UPDATE OF s SKIP LOCKED),
    noted AS (
      UPDATE presence_state s
      SET last_seen_at = greatest(s.last_seen_at, unseen.seen), ver = s.ver + 1,
          is_online = greatest(s.last_seen_at, unseen.seen) >= now() - make_interval(secs => ${staleSeconds})
      FROM unseen WHERE s.user_id = unseen.user_id AND s.is_online RETURNING s.user_id, s.is_online)
    SELECT (SELECT count(*) FROM gone) AS entries, ARRAY(SELECT user_id FROM noted WHERE NOT is_online) AS users`);
  return row ?? { entries: 0, users: [] };
}

export async function erasePresence(db: Db, userId: string): Promise<void> {
  await db.execute(sql`DELETE FROM presence_entries WHERE user_id = ${userId}`);
  await db.execute(sql`DELETE FROM presence_state WHERE user_id = ${userId}`);
}
