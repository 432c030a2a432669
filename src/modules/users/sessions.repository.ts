import type { RevocationReason } from '../../platform/auth/auth.events.js';
import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';
import { effectiveState, type UserState } from './users.repository.js';

export interface SessionRow {
  id: string;
  userId: string;
  kind: 'builtin' | 'external';
  deviceId: string;
  name: string | null;
  platform: string;
  createdAt: Date;
  lastUsedAt: Date;
}

export interface NewSession {
  id: string;
  userId: string;
  deviceId: string;
  name: string | null;
  platform: string;
  ipHash: string;
  userAgent: string | null;
}

/** A caller with a token of the host application. */
export interface ExternalCaller {
  /** Of the session, should it be a new one. */
  id: string;
  subject: string;
  deviceId: string;
  /** When the token was issued. */
  issuedAt: Date;
}

/** A session and its user, as a token check needs them. */
export interface SessionStatus {
  id: string;
  userId: string;
  kind: 'builtin' | 'external';
  deviceId: string;
  revokedAt: Date | null;
  userState: UserState;
}

/** A presented refresh token with everything its fate depends on, read under lock. */
export interface PresentedToken {
  id: string;
  sessionId: string;
  userId: string;
  deviceId: string;
  expired: boolean;
  revoked: boolean;
  rotated: boolean;
  /** Rotated less than ten seconds ago. */
  inGrace: boolean;
  successorId: string | null;
  userState: UserState;
}

const sessionColumns = sql`
  s.id, s.user_id AS "userId", s.kind, s.device_id AS "deviceId", s.name, s.platform, s.created_at AS "createdAt",
  s.last_used_at AS "lastUsedAt"`;
// A host application's session may return after its revocation, with a token issued later.
const alive = sql`(s.revoked_at IS NULL OR (s.kind = 'external' AND s.last_used_at > s.revoked_at))`;
const GRACE = sql`interval '10 seconds'`;
// Far enough that a transaction which began earlier and waited for the lock sees it closed as well.
const LONG_AGO = sql`now() - interval '1 hour'`;

export async function insertSession(tx: Tx, session: NewSession, ttlSeconds: number): Promise<void> {
  await tx.execute(sql`
    INSERT INTO user_sessions (id, user_id, kind, device_id, name, platform, ip_hash, user_agent, expires_at)
    VALUES (${session.id}, ${session.userId}, 'builtin', ${session.deviceId}, ${session.name}, ${session.platform},
            ${session.ipHash}, ${session.userAgent}, now() + make_interval(secs => ${ttlSeconds}))`);
}

/** Whether the user ever had a session on the device. */
export async function knowsDevice(tx: Tx, userId: string, deviceId: string): Promise<boolean> {
  const rows = await tx.query(
    sql`SELECT 1 FROM user_sessions WHERE user_id = ${userId} AND device_id = ${deviceId} LIMIT 1`,
  );
  return rows.length > 0;
}

/**
 * The sessions that users of a host application have on their devices, made at first sight; nothing for subjects that are
 * nobody here yet. A token issued after the revocation of its session brings it back to life.
 */
export const touchExternalSessions = (
  db: Db,
  issuer: string,
  callers: readonly ExternalCaller[],
): Promise<{ subject: string; deviceId: string; userId: string; sessionId: string }[]> =>
  db.query(sql`
    WITH callers AS (
      SELECT c.id, i.subject, i.user_id, c.device_id, c.issued_at
      FROM unnest(${callers.map(({ id }) => id)}::uuid[], ${callers.map(({ subject }) => subject)}::text[],
                  ${callers.map(({ deviceId }) => deviceId)}::text[],
                  ${callers.map(({ issuedAt }) => issuedAt)}::timestamptz[]) AS c (id, subject, device_id, issued_at)
      JOIN user_identities i ON i.issuer = ${issuer} AND i.subject = c.subject),
    devices AS (
      SELECT min(id::text)::uuid AS id, user_id, device_id, max(issued_at) AS issued_at
      FROM callers GROUP BY user_id, device_id),
    touched AS (
      INSERT INTO user_sessions AS s (id, user_id, kind, issuer, device_id, platform, ip_hash)
      SELECT id, user_id, 'external', ${issuer}, device_id, 'other', '' FROM devices ORDER BY user_id, device_id
      ON CONFLICT (user_id, issuer, device_id) WHERE kind = 'external' DO UPDATE
      SET last_used_at = CASE
        WHEN s.revoked_at IS NULL OR s.revoked_at < (
          SELECT d.issued_at FROM devices d WHERE d.user_id = s.user_id AND d.device_id = s.device_id)
        THEN now() ELSE s.last_used_at END
      RETURNING id, user_id, device_id)
    SELECT c.subject, c.device_id AS "deviceId", c.user_id AS "userId", t.id AS "sessionId"
    FROM callers c JOIN touched t USING (user_id, device_id)`);

/** By session id; ids without a session are absent. */
export async function findSessionStatuses(db: Db, ids: readonly string[]): Promise<Map<string, SessionStatus>> {
  const rows = await db.query<SessionStatus & Record<string, unknown>>(sql`
    SELECT s.id, s.user_id AS "userId", s.kind, s.device_id AS "deviceId", s.revoked_at AS "revokedAt",
           ${effectiveState} AS "userState"
    FROM user_sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ANY(${ids}::uuid[])`);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Those of the ids that have ended, with the reason. */
export async function findEnded(db: Db, ids: readonly string[]): Promise<Map<string, RevocationReason>> {
  const rows = await db.query<{ id: string; reason: RevocationReason }>(sql`
    SELECT s.id, coalesce(s.revoke_reason, 'revoked') AS reason FROM user_sessions s
    WHERE s.id = ANY(${ids}::uuid[]) AND NOT ${alive}`);
  return new Map(rows.map(({ id, reason }) => [id, reason]));
}

/** Live sessions, the last used first. */
export const listSessions = (db: Db, userId: string): Promise<SessionRow[]> =>
  db.query<SessionRow>(sql`
    SELECT ${sessionColumns} FROM user_sessions s
    WHERE s.user_id = ${userId} AND ${alive} AND (s.expires_at IS NULL OR s.expires_at > now())
    ORDER BY s.last_used_at DESC, s.id DESC LIMIT 100`);

/** Which of a user's live sessions a revocation means. */
export interface RevocationScope {
  sessionId?: string;
  exceptSessionId?: string;
  /** Built-in sessions on this device. */
  deviceId?: string;
}

/** Ends live sessions; answers the ids of those that this call ended. */
export async function revokeSessions(
  db: Db,
  userId: string,
  reason: RevocationReason,
  scope: RevocationScope = {},
): Promise<string[]> {
  const { sessionId = null, exceptSessionId = null, deviceId = null } = scope;
  const rows = await db.query<{ id: string }>(sql`
    UPDATE user_sessions s SET revoked_at = now(), revoke_reason = ${reason}
    WHERE s.user_id = ${userId} AND ${alive}
      AND (${sessionId}::uuid IS NULL OR s.id = ${sessionId})
      AND (${exceptSessionId}::uuid IS NULL OR s.id <> ${exceptSessionId})
      AND (${deviceId}::text IS NULL OR (s.kind = 'builtin' AND s.device_id = ${deviceId}))
    RETURNING s.id`);
  return rows.map(({ id }) => id);
}

export async function insertRefreshToken(
  tx: Tx,
  token: { id: string; sessionId: string; tokenHash: string },
  ttlSeconds: number,
): Promise<Date> {
  const [row] = await tx.query<{ expiresAt: Date }>(sql`
    INSERT INTO refresh_tokens (id, session_id, token_hash, expires_at)
    VALUES (${token.id}, ${token.sessionId}, ${token.tokenHash}, now() + make_interval(secs => ${ttlSeconds}))
    RETURNING expires_at AS "expiresAt"`);
  if (!row) throw new Error('INSERT returned no row');
  return row.expiresAt;
}

/** Locks the token and its session, so that of several who present it at once each sees what the one before did. */
export async function lockRefreshToken(tx: Tx, tokenHash: string): Promise<PresentedToken | undefined> {
  const [row] = await tx.query<PresentedToken>(sql`
    SELECT t.id, t.session_id AS "sessionId", s.user_id AS "userId", s.device_id AS "deviceId", t.expires_at <= now() AS expired,
           s.revoked_at IS NOT NULL AS revoked, t.rotated_at IS NOT NULL AS rotated,
           coalesce(t.rotated_at > now() - ${GRACE}, false) AS "inGrace", t.successor_id AS "successorId",
           ${effectiveState} AS "userState"
    FROM refresh_tokens t JOIN user_sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id
    WHERE t.token_hash = ${tokenHash} FOR UPDATE OF s, t`);
  return row;
}

export const markRotated = (tx: Tx, id: string, successorId: string): Promise<number> =>
  tx.execute(sql`UPDATE refresh_tokens SET rotated_at = now(), successor_id = ${successorId} WHERE id = ${id}`);

/**
 * Grants the one repeat: the token gets a new successor and its window closes. The successor nobody received counts as
 * used long ago, so whoever presents it later is found out. False when it was used already, so no answer was lost.
 */
export async function replaceUnusedSuccessor(
  tx: Tx,
  id: string,
  unusedId: string,
  successorId: string,
): Promise<boolean> {
  const replaced = await tx.execute(sql`
    UPDATE refresh_tokens SET rotated_at = ${LONG_AGO}, successor_id = ${successorId}
    WHERE id = ${unusedId} AND rotated_at IS NULL`);
  if (replaced === 0) return false;
  await tx.execute(
    sql`UPDATE refresh_tokens SET rotated_at = ${LONG_AGO}, successor_id = ${successorId} WHERE id = ${id}`,
  );
  return true;
}

export const touchSession = (tx: Tx, id: string, ttlSeconds: number): Promise<number> =>
  tx.execute(sql`
    UPDATE user_sessions SET last_used_at = now(), expires_at = now() + make_interval(secs => ${ttlSeconds}) WHERE id = ${id}`);

/** Rotated tokens are kept a week to recognise a replay; the rest goes when it can mean nothing any more. */
export const purgeSessions = (db: Db): Promise<number> =>
  db.execute(sql`
    WITH tokens AS (
      DELETE FROM refresh_tokens WHERE expires_at < now() OR rotated_at < now() - interval '7 days')
    DELETE FROM user_sessions s
    WHERE s.revoked_at < now() - interval '90 days' AND s.kind = 'builtin'
       OR s.expires_at < now() - interval '90 days'`);
