import { webcrypto } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { JWTPayload } from 'jose';
import { TokenService, type TokenClaims } from '../../platform/auth/token.service.js';
import { epochMs, newId } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { constraintOf } from '../../platform/database/database-error.js';
import { Coalescer } from '../../platform/database/coalescer.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import { Log } from '../../platform/logging/log.js';
import { AccountsService, unnamed } from './accounts.service.js';
import { displayName, handle } from './dto/fields.dto.js';
import { HostKeys } from './host-keys.js';
import { findIdentity, findTaken, insertIdentity } from './identities.repository.js';
import { type ExternalCaller, touchExternalSessions } from './sessions.repository.js';
import type { NewUser } from './users.repository.js';
import { parseIdentifier } from './users.rules.js';

const LEEWAY_S = 60;
const MAX_SUBJECT = 255;
/** The session of callers that name no device. */
const ANY_DEVICE = 'host';
const CALLERS_AT_ONCE = 100;

/** Who a caller is here. */
interface Met {
  userId: string;
  sessionId: string;
}

/** Tokens of the application Parley is built into: checked with its keys, and its users made at first sight. */
@Injectable()
export class HostTokensService implements OnModuleInit {
  private readonly keys: HostKeys | undefined;
  private secret: Promise<webcrypto.CryptoKey> | undefined;
  private readonly sessions = new Coalescer<ExternalCaller, Met | undefined>(
    (callers) => this.sessionsOf(callers),
    CALLERS_AT_ONCE,
  );

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
    const caller = {
      id: newId(),
      subject: sub,
      deviceId: deviceId !== undefined && /^[A-Za-z0-9._:-]{1,128}$/.test(deviceId) ? deviceId : ANY_DEVICE,
      issuedAt: new Date(iat * 1000),
    };
    let met = await this.sessions.ask(caller);
    if (!met) {
      await this.meet(issuer, sub, payload);
      met = await this.sessions.ask(caller);
    }
    if (!met) throw new DomainError('session_revoked');
    // Without `iat` a token counts as issued long ago: after a revocation it stays refused.
    return { ...met, issuedAt: iat * 1000, expiresAt: (exp + LEEWAY_S) * 1000 };
  }

  private async sessionsOf(callers: readonly ExternalCaller[]): Promise<(Met | undefined)[]> {
    const found = await touchExternalSessions(this.database, this.config.HOST_JWT_ISSUER ?? '', callers);
    const met = new Map(found.map((row) => [`${row.deviceId} ${row.subject}`, row]));
    return callers.map(({ deviceId, subject }) => {
      const row = met.get(`${deviceId} ${subject}`);
      return row && { userId: row.userId, sessionId: row.sessionId };
    });
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
      this.secret ??= importSecret(secret);
      return (await jwtVerify(token, await this.secret, { ...options, algorithms: ['HS256'] })).payload;
    }
    if (!this.keys) throw new DomainError('unauthenticated', { detail: 'The access token is not valid' });
    return (await jwtVerify(token, this.keys.find, { ...options, algorithms: ['EdDSA', 'ES256', 'RS256'] })).payload;
  }

  /** First sight of a subject. Several at once, on any replica, make one user. */
  private async meet(issuer: string, subject: string, payload: JWTPayload): Promise<void> {
    const profile = await this.firstProfile(payload);
    try {
      await this.database.tx(async (tx) => {
        const { id } = await this.accounts.create(profile, tx);
        await insertIdentity(tx, issuer, subject, id);
      });
    } catch (error) {
      if ((await findIdentity(this.database, issuer, subject)) !== undefined) return;
      // A handle or address was free a moment ago and is not any more: the user starts without.
      if (!(error instanceof DomainError && error.code === 'already_exists') && constraintOf(error) === undefined)
        throw error;
      await this.database.tx(async (tx) => {
        const { id } = await this.accounts.create({ displayName: profile.displayName }, tx);
        await insertIdentity(tx, issuer, subject, id);
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

/** Imported once: jose would do it again for every token. */
const importSecret = (secret: string): Promise<webcrypto.CryptoKey> =>
  webcrypto.subtle.importKey('raw', new TextEncoder().encode(secret), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'verify',
  ]);
