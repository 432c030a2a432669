import type { Db, Tx } from '../../platform/database/db.js';
import { type Sql, sql } from '../../platform/database/sql.js';
import type { MediaRow, MediaState, VariantRow } from './media.rules.js';

const columns = sql`
  o.id, o.owner_id AS "ownerId", o.purpose, o.name, o.mime_claimed AS "mimeClaimed", o.mime, o.size, o.sha256,
  o.storage_key AS "storageKey", o.driver, o.part_bytes AS "partBytes", o.upload_id AS "uploadId", o.state, o.width, o.height, o.duration_ms AS "durationMs", o.blurhash,
  o.reject_reason AS "rejectReason", o.bound_at AS "boundAt", o.created_at AS "createdAt",
  coalesce((SELECT json_agg(json_build_object('variant', v.variant, 'storageKey', v.storage_key, 'mime', v.mime,
                     'size', v.size, 'width', v.width, 'height', v.height) ORDER BY v.variant)
            FROM media_variants v WHERE v.media_id = o.id), '[]') AS variants`;

const HOURS_OF_QUOTA = 24;

export interface NewMedia {
  id: string;
  ownerId: string;
  purpose: MediaRow['purpose'];
  name: string;
  mimeClaimed: string;
  size: number;
  sha256: string | null;
  storageKey: string;
  driver: string;
  partBytes: number | null;
}

/** Bytes the owner announced within the last day, whatever became of them. Uploads of one owner wait for each other here. */
export async function lockedUsage(tx: Tx, ownerId: string): Promise<number> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(hashtextextended('media.quota:' || ${ownerId}, 0))`);
  const [row] = await tx.query<{ bytes: number }>(sql`
    SELECT coalesce(sum(size), 0)::bigint AS bytes FROM media_objects
    WHERE owner_id = ${ownerId} AND created_at > now() - make_interval(hours => ${HOURS_OF_QUOTA})`);
  return row?.bytes ?? 0;
}

export async function insertMedia(tx: Tx, media: NewMedia): Promise<Date> {
  const { id, ownerId, purpose, name, mimeClaimed, size, sha256, storageKey, driver, partBytes } = media;
  const [row] = await tx.query<{ createdAt: Date }>(sql`
    INSERT INTO media_objects (id, owner_id, purpose, name, mime_claimed, size, sha256, storage_key, driver, part_bytes)
    VALUES (${id}, ${ownerId}, ${purpose}, ${name}, ${mimeClaimed}, ${size}, ${sha256}, ${storageKey}, ${driver}, ${partBytes})
    RETURNING created_at AS "createdAt"`);
  if (!row) throw new Error('INSERT returned no row');
  return row.createdAt;
}

/** Names a pending upload as the store does, unless it has a name; answers the one that counts, undefined when it is over. */
export async function noteUpload(db: Db, id: string, uploadId: string): Promise<string | undefined> {
  const [row] = await db.query<{ uploadId: string }>(sql`
    UPDATE media_objects SET upload_id = coalesce(upload_id, ${uploadId}) WHERE id = ${id} AND state = 'pending'
    RETURNING upload_id AS "uploadId"`);
  return row?.uploadId;
}

export const findMany = (db: Db, ids: readonly string[]): Promise<MediaRow[]> =>
  db.query<MediaRow>(sql`SELECT ${columns} FROM media_objects o WHERE o.id = ANY(${ids}::uuid[])`);

export async function findMedia(db: Db, id: string): Promise<MediaRow | undefined> {
  const [row] = await findMany(db, [id]);
  return row;
}

/** Of one owner, in the order they were made, after `afterId`. */
export const listOwned = (db: Db, ownerId: string, afterId: string | null, limit: number): Promise<MediaRow[]> =>
  db.query<MediaRow>(sql`
    SELECT ${columns} FROM media_objects o
    WHERE o.owner_id = ${ownerId} AND (${afterId}::uuid IS NULL OR o.id > ${afterId}) AND o.state <> 'deleted'
    ORDER BY o.id LIMIT ${limit}`);

/** What an upload turned out to be: its own object by now, out of reach of the link it came by. False if it is settled already. */
export const settleUpload = async (
  tx: Tx,
  id: string,
  found: {
    storageKey: string;
    state: 'uploaded' | 'ready' | 'rejected';
    mime: string | null;
    sha256: string;
    reason: string | null;
  },
): Promise<boolean> =>
  (await tx.execute(sql`
    UPDATE media_objects
    SET storage_key = ${found.storageKey}, state = ${found.state}, mime = ${found.mime}, sha256 = ${found.sha256},
        reject_reason = ${found.reason}, uploaded_at = now(), ready_at = CASE WHEN ${found.state} = 'ready' THEN now() END
    WHERE id = ${id} AND state = 'pending'`)) === 1;

/** Of one state, newest first, before `beforeId`. */
export const listInState = (db: Db, state: MediaState, beforeId: string | null, limit: number): Promise<MediaRow[]> =>
  db.query<MediaRow>(sql`
    SELECT ${columns} FROM media_objects o
    WHERE o.state = ${state}::media_state AND (${beforeId}::uuid IS NULL OR o.id < ${beforeId})
    ORDER BY o.id DESC LIMIT ${limit}`);

/** Marks of a claim whose holder vanished once: the next time, the file itself is suspected. */
export const INTERRUPTED = 'interrupted';
/** Marks a file that a moderator gave back: the scanner is not asked again. */
export const RELEASED = 'released';
const CLAIM_MINUTES = 5;

/**
 * Takes the file that has waited longest for its checks. A claim lapses after five minutes, by which its holder is dead; a file
 * that has outlived two of them is rejected, since it may be what kills them.
 */
export async function claim(db: Db, driver: string): Promise<MediaRow | undefined> {
  const [row] = await db.query<MediaRow>(sql`
    WITH due AS (
      SELECT id FROM media_objects
      WHERE driver = ${driver}
        AND ((state = 'uploaded' AND uploaded_at <= now())
             OR (state = 'processing' AND uploaded_at < now() - make_interval(mins => ${CLAIM_MINUTES})
                 AND reject_reason IS DISTINCT FROM ${INTERRUPTED}))
      ORDER BY uploaded_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    UPDATE media_objects o
    SET reject_reason = CASE WHEN o.state = 'processing' THEN ${INTERRUPTED}
                             WHEN o.reject_reason = ${RELEASED} THEN ${RELEASED} END,
        state = 'processing', uploaded_at = now()
    FROM due WHERE o.id = due.id
    RETURNING ${columns}`);
  return row;
}

/** Files that two holders in a row did not survive. */
export const listFatal = (db: Db): Promise<MediaRow[]> =>
  db.query<MediaRow>(sql`
    SELECT ${columns} FROM media_objects o
    WHERE o.state = 'processing' AND o.reject_reason = ${INTERRUPTED}
      AND o.uploaded_at < now() - make_interval(mins => ${CLAIM_MINUTES})`);

/**
 * Gives a claimed file back, until some seconds from now: the longer it has been tried in vain, the later. Others are not
 * held up by it.
 */
export const unclaim = (db: Db, id: string): Promise<number> =>
  db.execute(sql`
    UPDATE media_objects
    SET state = 'uploaded', reject_reason = nullif(reject_reason, ${INTERRUPTED}),
        uploaded_at = now() + least(greatest((now() - created_at) / 2, interval '5 s'), interval '1 min')
    WHERE id = ${id} AND state = 'processing'`);

export interface Processed {
  storageKey: string;
  size: number;
  sha256: string | null;
  width: number | null;
  height: number | null;
  durationMs: number | null;
  blurhash: string | null;
  variants: readonly VariantRow[];
}

/** Shows a checked file to those who may see it. False when it was deleted or settled meanwhile. */
export async function setReady(tx: Tx, id: string, found: Processed): Promise<boolean> {
  const done = await tx.execute(sql`
    UPDATE media_objects
    SET state = 'ready', ready_at = now(), reject_reason = NULL, storage_key = ${found.storageKey}, size = ${found.size},
        sha256 = ${found.sha256}, width = ${found.width}, height = ${found.height},
        duration_ms = ${found.durationMs}, blurhash = ${found.blurhash}
    WHERE id = ${id} AND state = 'processing'`);
  if (done === 0) return false;
  if (found.variants.length > 0)
    await tx.execute(sql`
      INSERT INTO media_variants (media_id, variant, storage_key, mime, size, width, height)
      SELECT ${id}, v.variant, v."storageKey", v.mime, v.size, v.width, v.height
      FROM json_to_recordset(${JSON.stringify(found.variants)}::json)
        AS v (variant text, "storageKey" text, mime text, size bigint, width bigint, height bigint)`);
  return true;
}

/** Takes a file away from everybody, if it is in one of the states `from`. */
export async function withdraw(
  tx: Tx,
  id: string,
  to: 'rejected' | 'quarantined' | 'deleted',
  reason: string | null,
  from: readonly MediaState[],
): Promise<MediaRow | undefined> {
  const [row] = await tx.query<MediaRow>(sql`
    UPDATE media_objects o
    SET state = ${to}, reject_reason = coalesce(${reason}, o.reject_reason),
        deleted_at = CASE WHEN ${to} = 'deleted' THEN now() END
    WHERE o.id = ${id} AND o.state = ANY(${from}::media_state[])
    RETURNING ${columns}`);
  return row;
}

/** Takes a file out of quarantine, to where it was before. */
export async function release(tx: Tx, id: string): Promise<MediaRow | undefined> {
  const [row] = await tx.query<MediaRow>(sql`
    UPDATE media_objects o
    SET state = (CASE WHEN o.uploaded_at IS NULL THEN 'pending' WHEN o.mime IS NULL THEN 'rejected'
                      WHEN o.ready_at IS NOT NULL THEN 'ready' ELSE 'uploaded' END)::media_state,
        reject_reason = CASE WHEN o.ready_at IS NULL AND o.mime IS NOT NULL THEN ${RELEASED} END
    WHERE o.id = ${id} AND o.state = 'quarantined'
    RETURNING ${columns}`);
  return row;
}

/** Makes a usable image of the owner an avatar. */
export const bindAvatar = async (tx: Tx, ownerId: string, id: string): Promise<boolean> =>
  (await tx.execute(sql`
    UPDATE media_objects SET bound_at = coalesce(bound_at, now())
    WHERE id = ${id} AND owner_id = ${ownerId} AND purpose = 'avatar' AND state IN ('uploaded', 'processing', 'ready')`)) ===
  1;

/** Everything of an erased person: gone at once, names included. Answers the ids of what was bound. */
export async function eraseOwned(tx: Tx, ownerId: string): Promise<{ id: string; bound: boolean }[]> {
  return tx.query(sql`
    UPDATE media_objects SET state = 'deleted', name = '', blurhash = NULL, sha256 = NULL,
      deleted_at = coalesce(least(deleted_at, now() - interval '1 year'), now() - interval '1 year')
    WHERE owner_id = ${ownerId} AND (state <> 'deleted' OR name <> '')
    RETURNING id, bound_at IS NOT NULL AS bound`);
}

const UNBOUND_HOURS = 24;
const DELETED_DAYS = 7;

/** From now on nobody can bind these: never finished, or shown nowhere for a day. Counts them. */
export const condemn = (db: Db, term: Sql, limit: number): Promise<number> =>
  db.execute(sql`
    UPDATE media_objects SET state = 'deleted', deleted_at = now() - make_interval(days => ${DELETED_DAYS + 1})
    WHERE EXISTS (${term}) AND id IN (
      SELECT id FROM media_objects
      WHERE created_at < now() - make_interval(hours => ${UNBOUND_HOURS}) AND bound_at IS NULL
        AND state IN ('pending', 'uploaded', 'ready', 'rejected')
      ORDER BY created_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`);

/** Driver of a row whose objects are gone. */
export const NOWHERE = 'none';

/** Deleted files whose objects are to go now. */
export const listPurgeable = (db: Db, driver: string, limit: number): Promise<{ id: string; storageKey: string }[]> =>
  db.query(sql`
    SELECT id, storage_key AS "storageKey" FROM media_objects
    WHERE state = 'deleted' AND driver = ${driver} AND deleted_at < now() - make_interval(days => ${DELETED_DAYS})
    ORDER BY deleted_at LIMIT ${limit}`);

/** Forgets deleted files whose objects are gone; what something refers to keeps its row. */
export async function forget(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.execute(sql`DELETE FROM media_variants WHERE media_id = ANY(${ids}::uuid[])`);
  await tx.execute(
    sql`DELETE FROM media_objects WHERE id = ANY(${ids}::uuid[]) AND state = 'deleted' AND bound_at IS NULL`,
  );
  await tx.execute(
    sql`UPDATE media_objects SET driver = ${NOWHERE} WHERE id = ANY(${ids}::uuid[]) AND state = 'deleted'`,
  );
}
