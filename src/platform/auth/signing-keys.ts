import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import { epochMs, newId } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { DatabaseService } from '../database/database.service.js';
import { sql } from '../database/sql.js';
import { Log } from '../logging/log.js';
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
  verify: KeyObject;
  sign: KeyObject;
  /** ms since the epoch; signs from `activeFrom` to `retiredAt`, verifies until `expiresAt`. */
  activeFrom: number;
  retiredAt: number;
  expiresAt: number;
}

/** How long a replica may go on without having seen a new key. */
const RELOAD_EVERY_MS = 30_000;
/** An unknown `kid` is looked up at once, but strangers cannot make us look more often than this. */
const LOOK_UP_AFTER_MS = 2000;
/** A new key is in the JWKS for this long before it signs, so that nobody who caches the set meets a stranger. */
const PUBLISHED_BEFORE_S = 120;
/** Clocks of replicas differ, and a key that is replaced may sign until the next reload. */
const MARGIN_S = 120;

/**
 * The EdDSA keys of this installation: made at first boot, stored encrypted, shared by all replicas; the newest that is
 * active signs. Two may be live, so rotation refuses nobody.
 */
@Injectable()
export class SigningKeys implements OnModuleInit, OnApplicationShutdown {
  private keys = new Map<string, LoadedKey>();
  private loadedAt = -Infinity;
  private loading: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly database: DatabaseService,
    private readonly box: SecretBox,
    private readonly config: Config,
    private readonly log: Log,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.load();
    if (this.keys.size === 0 || !this.current()) await this.rotate({ onlyIfNone: true });
    this.timer = setInterval(() => void this.reload(), RELOAD_EVERY_MS);
    this.timer.unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** Called when a key is no longer accepted. */
  onDropped(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** The key that signs now. */
  signing(): { kid: string; key: KeyObject } {
    const key = this.current();
    if (!key) throw new Error('no signing key');
    return { kid: key.kid, key: key.sign };
  }

  /** The public key for a `kid`; one that another replica made a moment ago is looked up. */
  async verifying(kid: string): Promise<KeyObject | undefined> {
    if (!this.keys.has(kid) && epochMs() - this.loadedAt > LOOK_UP_AFTER_MS) await this.load();
    const key = this.keys.get(kid);
    return key && key.expiresAt > epochMs() ? key.verify : undefined;
  }

  /** JWKS of every key whose tokens may be alive or are about to be made. */
  publicKeys(): JWK[] {
    return [...this.keys.values()]
      .filter(({ expiresAt }) => expiresAt > epochMs())
      .map(({ kid, publicJwk }) => ({ ...publicJwk, kid, use: 'sig', alg: 'EdDSA' }));
  }

  /**
   * Makes a new signing key; answers its `kid`. It takes over in two minutes, and the old one verifies until the last
   * token it signed has expired. With `compromised` the old ones end now, and every access token with them; clients
   * refresh.
   */
  async rotate({ onlyIfNone = false, compromised = false } = {}): Promise<string> {
    const { exportJWK, generateKeyPair } = await import('jose');
    const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
    const kid = newId();
    const publicJwk = await exportJWK(pair.publicKey);
    const privateEnc = this.box.seal('signing-key', JSON.stringify(await exportJWK(pair.privateKey)));
    const delay = onlyIfNone || compromised ? 0 : PUBLISHED_BEFORE_S;
    const life = compromised ? 0 : delay + this.config.ACCESS_TOKEN_TTL + MARGIN_S;
    const made = await this.database.tx(async (tx) => {
      // Replicas that boot together agree on one first key.
      await tx.query(sql`SELECT pg_advisory_xact_lock(hashtext('parley.signing_keys'))`);
      const [live] = await tx.query<{ kid: string }>(sql`SELECT kid FROM signing_keys WHERE retired_at IS NULL`);
      if (live && onlyIfNone) return live.kid;
      await tx.execute(sql`
        UPDATE signing_keys
        SET retired_at = least(retired_at, now() + make_interval(secs => ${delay})),
            expires_at = least(expires_at, now() + make_interval(secs => ${life}))
        WHERE expires_at IS NULL OR expires_at > now()`);
      await tx.execute(sql`
        INSERT INTO signing_keys (kid, public_jwk, private_enc, active_from)
        VALUES (${kid}, ${publicJwk}, ${privateEnc}, now() + make_interval(secs => ${delay}))`);
      return kid;
    });
    await this.load();
    return made;
  }

  private current(): LoadedKey | undefined {
    const at = epochMs();
    const usable = [...this.keys.values()].filter(({ activeFrom, expiresAt }) => activeFrom <= at && expiresAt > at);
    // The order of activation decides; `retiredAt` only matters between a clock ahead and one behind.
    return usable.filter(({ retiredAt }) => retiredAt > at).at(-1) ?? usable.at(-1);
  }

  private async reload(): Promise<void> {
    // While the database is away the keys at hand stay good.
    await this.load().catch((error: unknown) => this.log.warn('auth.keys_not_reloaded', { err: error }));
  }

  private load(): Promise<void> {
    this.loading ??= this.read().finally(() => (this.loading = undefined));
    return this.loading;
  }

  private async read(): Promise<void> {
    const rows = await this.database.query<KeyRow>(sql`
      SELECT kid, public_jwk AS "publicJwk", private_enc AS "privateEnc", active_from AS "activeFrom",
             retired_at AS "retiredAt", expires_at AS "expiresAt"
      FROM signing_keys WHERE expires_at IS NULL OR expires_at > now() ORDER BY active_from, kid`);
    const before = this.keys;
    this.keys = new Map(rows.map((row) => [row.kid, this.import(row, before.get(row.kid))]));
    this.loadedAt = epochMs();
    if ([...before.keys()].some((kid) => !this.keys.has(kid))) for (const listener of this.listeners) listener();
  }

  private import(row: KeyRow, known: LoadedKey | undefined): LoadedKey {
    const open = (): JWK => JSON.parse(this.box.open('signing-key', row.privateEnc)) as JWK;
    return {
      kid: row.kid,
      publicJwk: row.publicJwk,
      verify: known?.verify ?? createPublicKey({ key: row.publicJwk, format: 'jwk' }),
      sign: known?.sign ?? createPrivateKey({ key: open(), format: 'jwk' }),
      activeFrom: row.activeFrom.getTime(),
      retiredAt: row.retiredAt?.getTime() ?? Infinity,
      expiresAt: row.expiresAt?.getTime() ?? Infinity,
    };
  }
}
