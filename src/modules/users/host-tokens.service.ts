import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { JWTPayload } from 'jose';
import { TokenService, type TokenClaims } from '../../platform/auth/token.service.js';
import { epochMs, newId } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { constraintOf } from '../../platform/database/database-error.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import { Log } from '../../platform/logging/log.js';
import { AccountsService, unnamed } from './accounts.service.js';
import { displayName, handle } from './dto/fields.dto.js';
import { HostKeys } from './host-keys.js';
import { findIdentity, findTaken, insertIdentity } from './identities.repository.js';
import { touchExternalSession } from './sessions.repository.js';
import type { NewUser } from './users.repository.js';
import { parseIdentifier } from './users.rules.js';

const LEEWAY_S = 60;
const MAX_SUBJECT = 255;
/** The session of callers that name no device. */
const ANY_DEVICE = 'host';

/** Tokens of the application Parley is built into: checked with its keys, and its users made at first sight. */
@Injectable()
export class HostTokensService implements OnModuleInit {
  private readonly keys: HostKeys | undefined;

  constructor(
    private readonly database: DatabaseService,
    private readonly tokens: TokenService,
    private readonly accounts: AccountsService,
    private readonly config: Config,
    log: Log,
  ) {
    if (config.HOST_JWT_JWKS_URL) this.keys = new HostKeys(config.HOST_JWT_JWKS_URL, log);
  }

  onModuleInit(): void {
    const { HOST_JWT_ISSUER } = this.config;
    if (HOST_JWT_ISSUER === undefined) return;
    this.tokens.acceptForeign((token, issuer, deviceId) =>
      issuer === HOST_JWT_ISSUER ? this.accept(token, issuer, deviceId) : Promise.resolve(undefined),
    );
  }

  private async accept(token: string, issuer: string, deviceId: string | undefined): Promise<TokenClaims> {
    const payload = await this.verify(token, issuer);
    const { sub = '', iat = 0, exp = 0 } = payload;
    if (sub === '' || sub.length > MAX_SUBJECT || /\p{Cc}/u.test(sub) || iat > epochMs() / 1000 + LEEWAY_S) {
      throw new DomainError('unauthenticated', { detail: 'The access token is not valid' });
    }
    const userId = (await findIdentity(this.database, issuer, sub)) ?? (await this.meet(issuer, sub, payload));
    const sessionId = await touchExternalSession(this.database, {
      id: newId(),
      userId,
      issuer,
      issuedAt: new Date(iat * 1000),
      deviceId: deviceId !== undefined && /^[A-Za-z0-9._:-]{1,128}$/.test(deviceId) ? deviceId : ANY_DEVICE,
      name: null,
      platform: 'other',
      ipHash: '',
      userAgent: null,
    });
    // Without `iat` a token counts as issued long ago: after a revocation it stays refused.
    return { userId, sessionId, issuedAt: iat * 1000, expiresAt: (exp + LEEWAY_S) * 1000 };
  }

  /** Each algorithm belongs to one kind of key, so a public key is never taken for a shared secret. */
  private async verify(token: string, issuer: string): Promise<JWTPayload> {
    const { decodeProtectedHeader, jwtVerify } = await import('jose');
    const options = {
      issuer,
      audience: this.config.HOST_JWT_AUDIENCE ?? '',
      requiredClaims: ['sub', 'exp'],
      clockTolerance: LEEWAY_S,
    };
    const { HOST_JWT_SECRET: secret } = this.config;
    if (secret !== undefined && decodeProtectedHeader(token).alg === 'HS256') {
      return (await jwtVerify(token, new TextEncoder().encode(secret), { ...options, algorithms: ['HS256'] })).payload;
    }
    if (!this.keys) throw new DomainError('unauthenticated', { detail: 'The access token is not valid' });
    return (await jwtVerify(token, this.keys.find, { ...options, algorithms: ['EdDSA', 'ES256', 'RS256'] })).payload;
  }

  /** First sight of a subject. Several at once, on any replica, make one user. */
  private async meet(issuer: string, subject: string, payload: JWTPayload): Promise<string> {
    const profile = await this.firstProfile(payload);
    try {
      return await this.database.tx(async (tx) => {
        const { id } = await this.accounts.create(profile, tx);
        await insertIdentity(tx, issuer, subject, id);
        return id;
      });
    } catch (error) {
      const met = await findIdentity(this.database, issuer, subject);
      if (met !== undefined) return met;
      // A handle or address was free a moment ago and is not any more: the user starts without.
      if (!(error instanceof DomainError && error.code === 'already_exists') && constraintOf(error) === undefined)
        throw error;
      return this.database.tx(async (tx) => {
        const { id } = await this.accounts.create({ displayName: profile.displayName }, tx);
        await insertIdentity(tx, issuer, subject, id);
        return id;
      });
    }
  }

  /** What the token says about the person, as far as it is well-formed and free. Roles are never read from it. */
  private async firstProfile(payload: JWTPayload): Promise<Omit<NewUser, 'id'>> {
    const name = displayName.safeParse(payload['name']);
    const wanted = handle.safeParse(payload['preferred_username']);
    const email = typeof payload['email'] === 'string' ? parseIdentifier(payload['email']) : undefined;
    const identifier = email?.kind === 'email' ? email : null;
    const taken = await findTaken(this.database, wanted.data ?? null, identifier?.value ?? null);
    return {
      displayName: name.data ?? unnamed().displayName,
      handle: taken.handle ? null : (wanted.data ?? null),
      identifier: taken.email ? null : identifier,
      verified: payload['email_verified'] === true,
    };
  }
}
