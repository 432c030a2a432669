import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

export type ActivityKind =
  | 'registered'
  | 'login'
  | 'logout'
  | 'refresh_reused'
  | 'session_revoked'
  | 'password_changed'
  | 'password_reset'
  | 'identifier_verified'
  | 'export_requested'
  | 'deleted';

export interface ActivityRow {
  id: string;
  kind: ActivityKind;
  sessionId: string | null;
  at: Date;
}

export const insertActivity = (
  db: Db,
  entry: { id: string; userId: string; kind: ActivityKind; sessionId: string | null; ipHash: string },
): Promise<number> =>
  db.execute(sql`
    INSERT INTO recent_activity (id, user_id, kind, session_id, ip_hash)
    VALUES (${entry.id}, ${entry.userId}, ${entry.kind}, ${entry.sessionId}, ${entry.ipHash})`);

/** Newest first, `limit` rows before `beforeId`. */
export const listActivity = (db: Db, userId: string, beforeId: string | null, limit: number): Promise<ActivityRow[]> =>
  db.query<ActivityRow>(sql`
    SELECT id, kind, session_id AS "sessionId", at FROM recent_activity
    WHERE user_id = ${userId} AND (${beforeId}::uuid IS NULL OR id < ${beforeId}) ORDER BY id DESC LIMIT ${limit}`);

export const purgeActivity = (db: Db): Promise<number> =>
  db.execute(sql`DELETE FROM recent_activity WHERE at < now() - interval '90 days'`);
