import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

export interface ExportRow {
  id: string;
  userId: string;
  state: 'pending' | 'ready' | 'failed';
  expiresAt: Date;
  expired: boolean;
}

const columns = sql`id, user_id AS "userId", state, expires_at AS "expiresAt", expires_at <= now() AS expired`;

export async function insertExport(db: Db, id: string, userId: string, hours: number): Promise<ExportRow> {
  const [row] = await db.query<ExportRow>(sql`
    INSERT INTO data_exports (id, user_id, state, expires_at)
    VALUES (${id}, ${userId}, 'ready', now() + make_interval(hours => ${hours})) RETURNING ${columns}`);
  if (!row) throw new Error('INSERT returned no row');
  return row;
}

export async function findExport(db: Db, id: string): Promise<ExportRow | undefined> {
  const [row] = await db.query<ExportRow>(sql`SELECT ${columns} FROM data_exports WHERE id = ${id}`);
  return row;
}

/** Everything users keeps about a person but secrets, one JSON object per row. */
export const exportRows = (db: Db, userId: string): Promise<{ type: string; row: Record<string, unknown> }[]> =>
  db.query(sql`
    SELECT 'profile' AS type, to_jsonb(u) - 'password' AS row FROM users u WHERE id = ${userId}
    UNION ALL SELECT 'identity', to_jsonb(i) FROM user_identities i WHERE user_id = ${userId}
    UNION ALL SELECT 'session', to_jsonb(s) - 'ip_hash' FROM user_sessions s WHERE user_id = ${userId}
    UNION ALL SELECT 'contact', to_jsonb(c) FROM contacts c WHERE owner_id = ${userId} AND deleted_at IS NULL
    UNION ALL SELECT 'block', to_jsonb(b) FROM user_blocks b WHERE owner_id = ${userId} AND deleted_at IS NULL
    UNION ALL SELECT 'preferences', to_jsonb(p) FROM user_preferences p WHERE user_id = ${userId}
    UNION ALL SELECT 'activity', to_jsonb(a) - 'ip_hash' FROM recent_activity a WHERE user_id = ${userId}`);
