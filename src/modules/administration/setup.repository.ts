import type { Db, Tx } from '../../platform/database/db.js';
import { sql } from '../../platform/database/sql.js';

/** The one token of this installation; a new one ends the one before. */
export const storeSetupToken = (db: Db, tokenHash: string, seconds: number): Promise<number> =>
  db.execute(sql`
    INSERT INTO setup_tokens (id, token_hash, expires_at) VALUES (1, ${tokenHash}, now() + make_interval(secs => ${seconds}))
    ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at, used_at = NULL
    WHERE setup_tokens.token_hash <> excluded.token_hash OR setup_tokens.used_at IS NULL`);

/** Uses the token up; false when it is not the one, expired or used. */
export async function useSetupToken(tx: Tx, tokenHash: string): Promise<boolean> {
  const used = await tx.execute(sql`
    UPDATE setup_tokens SET used_at = now()
    WHERE id = 1 AND token_hash = ${tokenHash} AND used_at IS NULL AND expires_at > now()`);
  return used > 0;
}
