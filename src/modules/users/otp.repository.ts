import type { Db } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

export type OtpPurpose = 'login' | 'verify' | 'reset_password';

export const OTP_TTL_SECONDS = 300;
const MAX_TRIES = 5;

export interface NewOtp {
  id: string;
  identifierHash: string;
  purpose: OtpPurpose;
  codeHash: string;
  ipHash: string;
}

/** Answers when the code expires, by database time. */
export async function insertOtp(db: Db, otp: NewOtp): Promise<Date> {
  const [row] = await db.query<{ expiresAt: Date }>(sql`
    INSERT INTO otp_tokens (id, identifier_hash, purpose, code_hash, ip_hash, expires_at)
    VALUES (${otp.id}, ${otp.identifierHash}, ${otp.purpose}, ${otp.codeHash}, ${otp.ipHash},
            now() + make_interval(secs => ${OTP_TTL_SECONDS}))
    RETURNING expires_at AS "expiresAt"`);
  if (!row) throw new Error('INSERT returned no row');
  return row.expiresAt;
}

/**
 * One try at the latest code: counted and, when right, consumed by the same statement, so that parallel guesses on any
 * replica are each counted and a code opens once.
 */
export async function tryOtp(db: Db, identifierHash: string, purpose: OtpPurpose, codeHash: string): Promise<boolean> {
  const [row] = await db.query<{ right: boolean }>(sql`
    UPDATE otp_tokens t
    SET attempts = t.attempts + 1, consumed_at = CASE WHEN t.code_hash = ${codeHash} THEN now() END
    WHERE t.id = (SELECT id FROM otp_tokens WHERE identifier_hash = ${identifierHash} AND purpose = ${purpose}::otp_purpose
                  ORDER BY sent_at DESC, id DESC LIMIT 1)
      AND t.consumed_at IS NULL AND t.expires_at > now() AND t.attempts < ${MAX_TRIES}
    RETURNING t.consumed_at IS NOT NULL AS right`);
  return row?.right === true;
}

/** Wrong tries since the last right one, over all purposes. */
export async function countFailures(db: Db, identifierHash: string): Promise<number> {
  const [row] = await db.query<{ failures: number }>(sql`
    SELECT coalesce(sum(attempts), 0)::int AS failures FROM otp_tokens
    WHERE identifier_hash = ${identifierHash} AND consumed_at IS NULL
      AND sent_at > coalesce(
        (SELECT max(consumed_at) FROM otp_tokens WHERE identifier_hash = ${identifierHash}), '-infinity')`);
  return row?.failures ?? 0;
}

/** Forgets codes and failures of an identifier whose owner has proven themselves otherwise. */
export const forgetOtps = (db: Db, identifierHash: string): Promise<number> =>
  db.execute(sql`DELETE FROM otp_tokens WHERE identifier_hash = ${identifierHash}`);

/** Failures are remembered for 90 days, everything else for one. */
export const purgeOtps = (db: Db): Promise<number> =>
  db.execute(sql`
    DELETE FROM otp_tokens
    WHERE sent_at < now() - interval '90 days' OR (sent_at < now() - interval '1 day' AND attempts = 0)`);
