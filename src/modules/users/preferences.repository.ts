import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { Preferences } from './dto/preferences.view.js';

export interface PreferencesRow {
  userId: string;
  notifications: Preferences['notifications'];
  privacy: Preferences['privacy'];
  rev: number;
  updatedAt: Date;
}

const columns = sql`user_id AS "userId", notifications, privacy, rev, updated_at AS "updatedAt"`;

/** Users who never changed anything have no row. */
export const findPreferences = (db: Db, ids: readonly string[]): Promise<PreferencesRow[]> =>
  db.query<PreferencesRow>(sql`SELECT ${columns} FROM user_preferences WHERE user_id = ANY(${ids}::uuid[])`);

/** Writes the whole, as the next entry of the user's feed. */
export async function savePreferences(
  tx: Tx,
  userId: string,
  { notifications, privacy }: Preferences,
): Promise<PreferencesRow> {
  const [row] = await tx.query<PreferencesRow>(sql`
    INSERT INTO user_preferences AS p (user_id, notifications, privacy, rev)
    VALUES (${userId}, ${JSON.stringify(notifications)}, ${JSON.stringify(privacy)}, user_advance(${userId}, 1) + 1)
    ON CONFLICT (user_id) DO UPDATE
    SET notifications = excluded.notifications, privacy = excluded.privacy, rev = excluded.rev, updated_at = now()
    RETURNING ${columns}`);
  if (!row) throw new Error('upsert returned no row');
  return row;
}
