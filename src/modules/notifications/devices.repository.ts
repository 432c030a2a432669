import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

export interface DeviceRow {
  userId: string;
  deviceId: string;
  provider: string;
  tokenHash: string;
  /** Sealed. */
  tokenEnc: string;
  platform: string;
  appVersion: string | null;
  locale: string | null;
  enabled: boolean;
  rev: number;
  lastOkAt: Date | null;
  createdAt: Date;
  deletedAt: Date | null;
}
export type NewDevice = Omit<DeviceRow, 'rev' | 'lastOkAt' | 'createdAt' | 'deletedAt'>;

export type DeviceKey = Pick<DeviceRow, 'userId' | 'deviceId'>;
export const deviceKey = ({ userId, deviceId }: DeviceKey): string => `${userId} ${deviceId}`;

const columns = sql`
  user_id AS "userId", device_id AS "deviceId", provider, token_hash AS "tokenHash", token_enc AS "tokenEnc", platform,
  app_version AS "appVersion", locale, enabled, rev, last_ok_at AS "lastOkAt", created_at AS "createdAt", deleted_at AS "deletedAt"`;

/** Two who register one token at once take turns; released with the transaction. */
export async function lockToken(tx: Tx, provider: string, tokenHash: string): Promise<void> {
  await tx.query(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`push-token ${provider} ${tokenHash}`}, 0))`);
}

export async function findDevice(db: Db, userId: string, deviceId: string): Promise<DeviceRow | undefined> {
  const [row] = await db.query<DeviceRow & Record<string, unknown>>(
    sql`SELECT ${columns} FROM push_devices WHERE user_id = ${userId} AND device_id = ${deviceId} AND deleted_at IS NULL`,
  );
  return row;
}

/** By `deviceKey`. */
export async function findDevices(db: Db, keys: readonly DeviceKey[]): Promise<Map<string, DeviceRow>> {
  const rows = await listDevices(db, [...new Set(keys.map(({ userId }) => userId))]);
  return new Map(rows.map((row) => [deviceKey(row), row]));
}

/** Oldest first. */
export const listDevices = (db: Db, userIds: readonly string[]): Promise<DeviceRow[]> =>
  db.query<DeviceRow & Record<string, unknown>>(sql`
    SELECT ${columns} FROM push_devices WHERE user_id = ANY(${userIds}::uuid[]) AND deleted_at IS NULL
    ORDER BY created_at, device_id`);

/** The device that has this token at present, whoever's it is. */
export async function findByToken(db: Db, provider: string, tokenHash: string): Promise<DeviceRow | undefined> {
  const [row] = await db.query<DeviceRow & Record<string, unknown>>(sql`
    SELECT ${columns} FROM push_devices WHERE provider = ${provider} AND token_hash = ${tokenHash} AND deleted_at IS NULL`);
  return row;
}

/** The next position of each user's feed, locked in order of the users. */
export async function advanceUsers(tx: Tx, userIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await tx.query<{ userId: string; rev: number }>(
    sql`SELECT user_id AS "userId", rev_before + 1 AS rev FROM user_advance_many(${userIds}::uuid[], 1)`,
  );
  return new Map(rows.map(({ userId, rev }) => [userId, rev]));
}

export async function saveDevice(tx: Tx, device: NewDevice, rev: number): Promise<DeviceRow> {
  const { userId, deviceId, provider, tokenHash, tokenEnc, platform, appVersion, locale, enabled } = device;
  const [row] = await tx.query<DeviceRow & Record<string, unknown>>(sql`
    INSERT INTO push_devices AS d (user_id, device_id, provider, token_hash, token_enc, platform, app_version, locale, enabled, rev)
    VALUES (${userId}, ${deviceId}, ${provider}, ${tokenHash}, ${tokenEnc}, ${platform}, ${appVersion}, ${locale}, ${enabled}, ${rev})
    ON CONFLICT (user_id, device_id) DO UPDATE
    SET provider = excluded.provider, token_hash = excluded.token_hash, token_enc = excluded.token_enc,
        platform = excluded.platform, app_version = excluded.app_version, locale = excluded.locale, enabled = excluded.enabled,
        rev = excluded.rev, deleted_at = NULL, failed_at = NULL,
        created_at = CASE WHEN d.deleted_at IS NULL THEN d.created_at ELSE now() END
    RETURNING ${columns}`);
  if (!row) throw new Error('upsert returned no row');
  return row;
}

/** Takes the device off, for good unless it registers again. */
export async function dropDevice(
  tx: Tx,
  userId: string,
  deviceId: string,
  rev: number,
  failed: boolean,
): Promise<void> {
  await tx.execute(sql`
    UPDATE push_devices SET deleted_at = now(), rev = ${rev}, token_enc = '',
      failed_at = CASE WHEN ${failed} THEN now() ELSE failed_at END
    WHERE user_id = ${userId} AND device_id = ${deviceId} AND deleted_at IS NULL`);
}

/** They were reached just now; to the minute, so that a device that rings often is not written each time. */
export async function markDevicesOk(db: Db, devices: readonly DeviceKey[]): Promise<void> {
  if (devices.length === 0) return;
  await db.execute(sql`
    UPDATE push_devices AS d SET last_ok_at = now()
    FROM unnest(${devices.map((d) => d.userId)}::uuid[], ${devices.map((d) => d.deviceId)}::text[]) AS k (user_id, device_id)
    WHERE d.user_id = k.user_id AND d.device_id = k.device_id
      AND (d.last_ok_at IS NULL OR d.last_ok_at < now() - interval '1 minute')`);
}

/** Entries of the user's feed, removed ones included. */
export const changedDevices = (
  db: Db,
  userId: string,
  after: number,
  upTo: number,
  limit: number,
): Promise<DeviceRow[]> =>
  db.query<DeviceRow & Record<string, unknown>>(sql`
    SELECT ${columns} FROM push_devices WHERE user_id = ${userId} AND rev > ${after} AND rev <= ${upTo} ORDER BY rev LIMIT ${limit}`);

export async function eraseDevices(db: Db, userId: string): Promise<void> {
  await db.execute(sql`DELETE FROM push_devices WHERE user_id = ${userId}`);
}
