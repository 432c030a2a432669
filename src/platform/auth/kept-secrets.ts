import { Injectable } from '@nestjs/common';
import { DatabaseService } from '../database/database.service.js';
import { sql } from '../database/sql.js';
import { SecretBox } from './secret-box.js';

/**
 * Secrets that an installation makes once and all its replicas share. They lie beside the signing keys as rows that
 * expired before they began, so that nobody signs tokens with them.
 */
@Injectable()
export class KeptSecrets {
  constructor(
    private readonly database: DatabaseService,
    private readonly box: SecretBox,
  ) {}

  /** What is kept under the name; made at the first call on any replica. */
  async getOrMake(name: string, make: () => string): Promise<string> {
    const kid = `kept:${name}`;
    const read = async (): Promise<string | undefined> => {
      const [row] = await this.database.query<{ sealed: string }>(
        sql`SELECT private_enc AS sealed FROM signing_keys WHERE kid = ${kid}`,
      );
      return row && this.box.open(kid, row.sealed);
    };
    const kept = await read();
    if (kept !== undefined) return kept;
    const secret = make();
    await this.database.execute(sql`
      INSERT INTO signing_keys (kid, public_jwk, private_enc, active_from, retired_at, expires_at)
      VALUES (${kid}, '{}'::jsonb, ${this.box.seal(kid, secret)}, to_timestamp(0), to_timestamp(0), to_timestamp(0))
      ON CONFLICT (kid) DO NOTHING`);
    return (await read()) ?? secret;
  }
}
