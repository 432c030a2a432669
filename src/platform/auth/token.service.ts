import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { epochMs, newId } from '../clock/clock.js';
import { DomainError } from '../errors/domain-error.js';
import { BriefMemory } from '../clock/brief-memory.js';
import { SigningKeys } from './signing-keys.js';

/** What a verified token says; everything else about its user is looked up. */
export interface TokenClaims {
  userId: string;
  sessionId: string;
  /** ms since the epoch. */
  issuedAt: number;
  expiresAt: number;
}

/** Verifies tokens of another issuer (the host application). Answers undefined for tokens that are not its own. */
export type ForeignVerifier = (
  token: string,
  issuer: string | undefined,
  deviceId: string | undefined,
) => Promise<TokenClaims | undefined>;

const LEEWAY_S = 60;
const TYPE = 'at+jwt';
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** A signature is checked again after so long. */
const CACHE_MS = 300_000;
const MAX_CACHED = 20_000;

/** Makes and verifies access tokens: EdDSA, `typ` at+jwt, ten minutes, no roles inside. */
@Injectable()
export class TokenService {
  private readonly verified = new BriefMemory<TokenClaims>(CACHE_MS, MAX_CACHED);
  private foreign: ForeignVerifier | undefined;

  constructor(
    private readonly keys: SigningKeys,
    private readonly config: Config,
  ) {
    keys.onDropped(() => this.verified.clear());
  }

  acceptForeign(verifier: ForeignVerifier): void {
    this.foreign = verifier;
  }

  async issue(userId: string, sessionId: string): Promise<{ token: string; expiresIn: number }> {
    const { SignJWT } = await import('jose');
    const { kid, key } = this.keys.signing();
    const issuedAt = Math.floor(epochMs() / 1000);
    const token = await new SignJWT({ sid: sessionId })
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: TYPE })
      .setIssuer(this.config.issuer)
      .setAudience(this.config.AUTH_AUDIENCE)
      .setSubject(userId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + this.config.ACCESS_TOKEN_TTL)
      .setJti(newId())
      .sign(key);
    return { token, expiresIn: this.config.ACCESS_TOKEN_TTL };
  }

  /**
   * Checks signature, type, issuer, audience and times. The signature of a token seen lately is not checked again; its
   * expiry always is.
   * @throws unauthenticated, token_expired
   */
  async verify(token: string, deviceId?: string): Promise<TokenClaims> {
    const cacheKey = deviceId === undefined ? token : `${token} ${deviceId}`;
    const known = this.verified.get(cacheKey);
    const claims = known ?? (await this.check(token, deviceId));
    if (claims.expiresAt <= epochMs()) {
      this.verified.delete(cacheKey);
      throw new DomainError('token_expired');
    }
    if (!known) this.verified.set(cacheKey, claims);
    return claims;
  }

  private async check(token: string, deviceId: string | undefined): Promise<TokenClaims> {
    const { decodeJwt, errors, jwtVerify } = await import('jose');
    try {
      const foreign = await this.foreign?.(token, decodeJwt(token).iss, deviceId);
      if (foreign) return foreign;
      const { payload } = await jwtVerify(token, async ({ kid }) => this.keyFor(kid), {
        algorithms: ['EdDSA'],
        typ: TYPE,
        issuer: this.config.issuer,
        audience: this.config.AUTH_AUDIENCE,
        requiredClaims: ['sub', 'sid', 'iat', 'exp', 'jti'],
        clockTolerance: LEEWAY_S,
      });
      const { sub = '', sid, iat = 0, exp = 0 } = payload;
      if (typeof sid !== 'string' || !ID.test(sid) || !ID.test(sub) || iat > epochMs() / 1000 + LEEWAY_S)
        throw new DomainError('unauthenticated');
      return { userId: sub, sessionId: sid, issuedAt: iat * 1000, expiresAt: exp * 1000 };
    } catch (error) {
      if (error instanceof DomainError) throw error;
      if (error instanceof errors.JWTExpired) throw new DomainError('token_expired');
      if (error instanceof errors.JOSEError || error instanceof TypeError)
        throw new DomainError('unauthenticated', { detail: 'The access token is not valid' });
      throw error;
    }
  }

  private async keyFor(kid: string | undefined) {
    const key = kid === undefined ? undefined : await this.keys.verifying(kid);
    if (!key) throw new DomainError('unauthenticated', { detail: 'The access token is not valid' });
    return key;
  }
}
