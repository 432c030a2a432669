import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose';
import { epochMs } from '../../platform/clock/clock.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import type { Log } from '../../platform/logging/log.js';

const FRESH_MS = 600_000;
/** An unknown `kid` asks for the keys again, but strangers cannot make us ask more often than this. */
const COOLDOWN_MS = 10_000;
const TIMEOUT_MS = 5000;

/**
 * The public keys of the host application: fetched when first needed, again every ten minutes and for a `kid` not seen
 * before. While they cannot be fetched the last ones stay good, so an outage there is none here.
 */
export class HostKeys {
  private keys: JWTVerifyGetKey | undefined;
  private fetchedAt = -Infinity;
  private triedAt = -Infinity;
  private fetching: Promise<void> | undefined;

  constructor(
    private readonly url: string,
    private readonly log: Log,
  ) {}

  /** For jose: the key a token names. @throws dependency_unavailable while no keys were ever fetched */
  readonly find = async (...[header, token]: Parameters<JWTVerifyGetKey>) => {
    const { errors } = await import('jose');
    if (!this.keys) await this.fetch();
    else if (epochMs() - this.fetchedAt > FRESH_MS) void this.fetch();
    if (!this.keys)
      throw new DomainError('dependency_unavailable', { detail: 'The keys of the host application cannot be fetched' });
    try {
      return await this.keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await this.fetch();
      return this.keys(header, token);
    }
  };

  /** Never rejects; several at once share one request. */
  private fetch(): Promise<void> {
    if (!this.fetching && epochMs() - this.triedAt < COOLDOWN_MS) return Promise.resolve();
    this.triedAt = epochMs();
    this.fetching ??= this.load()
      .catch((error: unknown) => this.log.warn('auth.host_keys_unavailable', { err: error }))
      .finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  private async load(): Promise<void> {
    const response = await fetch(this.url, {
      headers: { accept: 'application/jwk-set+json, application/json' },
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!response.ok) throw new Error(`the JWKS address answered ${response.status}`);
    const { createLocalJWKSet } = await import('jose');
    this.keys = createLocalJWKSet((await response.json()) as JSONWebKeySet);
    this.fetchedAt = epochMs();
  }
}
