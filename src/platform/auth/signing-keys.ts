import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { CryptoKey, JWK } from 'jose';
import { DatabaseService } from '../database/database.service.js';
import { sql } from '../database/sql.js';
import { newId, now } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { SecretBox } from './secret-box.js';

interface KeyRow {
  kid: string;
  publicJwk: JWK;
  privateEnc: string;
  activeFrom: Date;
  retiredAt: Date | null;
  expiresAt: Date | null;
}

interface LoadedKey {
  kid: string;
  publicJwk: JWK;
  verify: CryptoKey;
  sign: CryptoKey | undefined;
}

const RELOAD_AFTER_MS = 5000;

/** The EdDSA keys of this installation: made at first boot, stored encrypted, shared by all replicas; the newest signs. */
@Injectable()
export class SigningKeys implements OnModuleInit {
  private keys = new Map<string, LoadedKey>();
  private current: LoadedKey | undefined;
  private loadedAt = 0;

  constructor(
    private readonly database: DatabaseService,
    private readonly box: SecretBox,
    private readonly config: Config,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.load();
    if (!this.current) await this.rotate({ onlyIfNone: true });
  }

  /** The key that signs now. */
  signing(): { kid: string; key: CryptoKey } {
    if (!this.current?.sign) throw new Error('no signing key');
    return { kid: this.current.kid, key: this.current.sign };
  }

  /** The public key for a `kid`; a key made by another replica a moment ago is looked up once. */
  async verifying(kid: string): Promise<CryptoKey | undefined> {
    const known = this.keys.get(kid);
    if (known) return known.verify;
    if (now().getTime() - this.loadedAt < RELOAD_AFTER_MS) return undefined;
    await this.load();
    return this.keys.get(kid)?.verify;
  }

  /** JWKS of every key whose tokens may still be alive. */
  publicKeys(): JWK[] {
    return [...this.keys.values()].map(({ kid, publicJwk }) => ({ ...publicJwk, kid, use: 'sig', alg: 'EdDSA' }));
  }

  /** Makes a new signing key; the old one verifies until the last token it signed has expired. */
  async rotate({ onlyIfNone = false } = {}): Promise<string> {
    const { exportJWK, generateKeyPair } = await import('jose');
    const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    const kid = newId();
    const publicJwk = await exportJWK(pair.publicKey);
    const privateEnc = this.box.seal('signing-key', JSON.stringify(await exportJWK(pair.privateKey)));
    const expiresAt = new Date(now().getTime() + (this.config.ACCESS_TOKEN_TTL + 60) * 1000);
    await this.database.tx(async (tx) => {
      // Replicas that boot together agree on one first key.
      await tx.query(sql`SELECT pg_advisory_xact_lock(hashtext('parley.signing_keys'))`);
      const [live] = await tx.query(sql`SELECT kid FROM signing_keys WHERE retired_at IS NULL`);
      if (live && onlyIfNone) return;
      await tx.execute(sql`UPDATE signing_keys SET retired_at = now(), expires_at = ${expiresAt} WHERE retired_at IS NULL`);
      await tx.execute(
        sql`INSERT INTO signing_keys (kid, public_jwk, private_enc, active_from) VALUES (${kid}, ${publicJwk}, ${privateEnc}, now())`,
      );
    });
    await this.load();
    return this.signing().kid;
  }

  private async load(): Promise<void> {
    const { importJWK } = await import('jose');
    const rows = await this.database.query<KeyRow>(sql`
      SELECT kid, public_jwk AS "publicJwk", private_enc AS "privateEnc", active_from AS "activeFrom",
             retired_at AS "retiredAt", expires_at AS "expiresAt"
      FROM signing_keys WHERE expires_at IS NULL OR expires_at > now() ORDER BY active_from`);
    const keys = new Map<string, LoadedKey>();
    this.current = undefined;
    for (const row of rows) {
      const verify = (await importJWK(row.publicJwk, 'EdDSA')) as CryptoKey;
      const key: LoadedKey = { kid: row.kid, publicJwk: row.publicJwk, verify, sign: undefined };
      if (row.retiredAt === null) {
        key.sign = (await importJWK(JSON.parse(this.box.open('signing-key', row.privateEnc)) as JWK, 'EdDSA')) as CryptoKey;
        this.current = key;
      }
      keys.set(row.kid, key);
    }
    this.keys = keys;
    this.loadedAt = now().getTime();
  }
}
