import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import type { StoredObject } from '../../platform/storage/storage.js';
import { NOWHERE } from './media.repository.js';

/** A place to put the list of all objects; gone with the transaction, which may take as long as the store takes to list. */
export async function openInventory(tx: Tx): Promise<void> {
  await tx.execute(sql`SET LOCAL statement_timeout = 0`);
  await tx.execute(sql`SET LOCAL idle_in_transaction_session_timeout = 0`);
  await tx.execute(sql`
    CREATE TEMP TABLE media_inventory (key text PRIMARY KEY, size bigint NOT NULL, modified_at timestamptz NOT NULL)
    ON COMMIT DROP`);
}

export const enterObjects = (tx: Tx, objects: readonly StoredObject[]): Promise<number> =>
  tx.execute(sql`
    INSERT INTO media_inventory (key, size, modified_at)
    SELECT o.key, o.size, o."modifiedAt"
    FROM json_to_recordset(${JSON.stringify(objects)}::json) AS o (key text, size bigint, "modifiedAt" timestamptz)
    ON CONFLICT DO NOTHING`);

/** Objects older than `minAgeH` hours that no row refers to, whichever store the row names. */
export const listOrphans = (tx: Tx, minAgeH: number): Promise<{ key: string; size: number }[]> =>
  tx.query(sql`
    SELECT i.key, i.size FROM media_inventory i
    WHERE i.modified_at < now() - make_interval(hours => ${minAgeH})
      AND NOT EXISTS (SELECT FROM media_objects o WHERE o.storage_key = i.key AND o.driver <> ${NOWHERE})
      AND NOT EXISTS (SELECT FROM media_variants v WHERE v.storage_key = i.key)
    ORDER BY i.key`);

export interface LostRow {
  id: string;
  ownerId: string;
  state: string;
  /** What is missing: the file itself (original), or a rendition. */
  variant: string;
  key: string;
}

/** Files of this store that should be there and are not. */
export const listLost = (tx: Tx, driver: string, minAgeH: number): Promise<LostRow[]> =>
  tx.query<LostRow & Record<string, unknown>>(sql`
    WITH expected AS (
      SELECT o.id, o.owner_id, o.state, o.created_at, 'original' AS variant, o.storage_key AS key FROM media_objects o
      WHERE o.driver = ${driver} AND o.uploaded_at IS NOT NULL
        AND o.state IN ('uploaded', 'processing', 'ready', 'quarantined')
      UNION ALL
      SELECT o.id, o.owner_id, o.state, o.created_at, v.variant, v.storage_key
      FROM media_objects o JOIN media_variants v ON v.media_id = o.id
      WHERE o.driver = ${driver} AND o.state = 'ready')
    SELECT e.id, e.owner_id AS "ownerId", e.state, e.variant, e.key FROM expected e
    WHERE e.created_at < now() - make_interval(hours => ${minAgeH})
      AND NOT EXISTS (SELECT FROM media_inventory i WHERE i.key = e.key)
    ORDER BY e.id, e.variant`);

/** Ready files whose objects have another size than the row says. */
export const listResized = (
  tx: Tx,
  driver: string,
): Promise<{ id: string; key: string; size: number; found: number }[]> =>
  tx.query(sql`
    SELECT o.id, i.key, o.size, i.size AS found FROM media_objects o JOIN media_inventory i ON i.key = o.storage_key
    WHERE o.driver = ${driver} AND o.state = 'ready' AND i.size <> o.size ORDER BY o.id`);

/** Rows with bytes in this store, and in another one. */
export async function countRows(db: Db, driver: string): Promise<{ here: number; elsewhere: number }> {
  const [row] = await db.query<{ here: number; elsewhere: number }>(sql`
    SELECT count(*) FILTER (WHERE driver = ${driver}) AS here,
           count(*) FILTER (WHERE driver NOT IN (${driver}, ${NOWHERE})) AS elsewhere
    FROM media_objects`);
  return { here: Number(row?.here ?? 0), elsewhere: Number(row?.elsewhere ?? 0) };
}

/** Has the renditions of a ready file made again; false when it is no longer ready, or another one by now. */
export async function renderAgain(tx: Tx, id: string, lostKey: string): Promise<boolean> {
  const found = await tx.execute(sql`
    UPDATE media_objects SET state = 'uploaded', uploaded_at = now()
    WHERE id = ${id} AND state = 'ready'
      AND EXISTS (SELECT FROM media_variants WHERE media_id = ${id} AND storage_key = ${lostKey})`);
  if (found === 0) return false;
  await tx.execute(sql`DELETE FROM media_variants WHERE media_id = ${id}`);
  return true;
}
