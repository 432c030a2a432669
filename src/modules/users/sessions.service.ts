import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Actor } from '../../platform/auth/actor.js';
import type { SessionState } from '../../platform/auth/actors.js';
import { type RevocationReason, SessionRevoked } from '../../platform/auth/auth.events.js';
import { TokenService, type TokenClaims } from '../../platform/auth/token.service.js';
import { newId, newSecret } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { Coalescer } from '../../platform/database/coalescer.js';
import { DatabaseService } from '../../platform/database/database.service.js';
import type { Tx } from '../../platform/database/db.js';
import { notFound } from '../../platform/errors/domain-error.js';
import { EventsService } from '../../platform/events/events.service.js';
import type { RequestOrigin } from '../../platform/http/request-origin.decorator.js';
import { ActivityService } from './activity.service.js';
import type { DeviceInput } from './dto/fields.dto.js';
import { type SessionView, toSessionView, type TokensView } from './dto/session.view.js';
import * as sessions from './sessions.repository.js';
import { accountSuspended, refreshInvalid, refreshReused } from './users.errors.js';

interface OpenedSession {
  sessionId: string;
  userId: string;
  deviceId: string;
  refreshToken: string;
  refreshExpiresAt: Date;
}

/** One that was opened by a sign-in. */
interface NewSession extends OpenedSession {
  /** The user has not signed in on this device before. */
  onNewDevice: boolean;
}

/** Auth sessions: opened by a sign-in, kept alive by rotating refresh tokens, ended by revocation. */
@Injectable()
export class SessionsService {
  private readonly statuses = new Coalescer<string, sessions.SessionStatus | undefined>(async (ids) => {
    const found = await sessions.findSessionStatuses(this.database, ids);
    return ids.map((id) => found.get(id));
  });

  constructor(
    private readonly database: DatabaseService,
    private readonly tokens: TokenService,
    private readonly events: EventsService,
    private readonly activity: ActivityService,
    private readonly config: Config,
  ) {}

  /** Opens a session on a device, in place of the one the user had there. */
  async open(userId: string, device: DeviceInput | undefined, origin: RequestOrigin, tx: Tx): Promise<NewSession> {
    const deviceId = device?.deviceId ?? newId();
    const onNewDevice = device?.deviceId === undefined || !(await sessions.knowsDevice(tx, userId, deviceId));
    if (!onNewDevice) await this.revoke(userId, 'revoked', { deviceId }, tx);
    const session = {
      id: newId(),
      userId,
      deviceId,
      name: device?.name ?? null,
      platform: device?.platform ?? 'other',
      ipHash: this.activity.hashIp(origin.ip),
      userAgent: origin.userAgent,
    };
    await sessions.insertSession(tx, session, this.config.REFRESH_TOKEN_TTL);
    return { ...(await this.grow({ sessionId: session.id, userId, deviceId }, newId(), tx)), onNewDevice };
  }

  /** Access and refresh token of a session that was just opened or refreshed. */
  async tokensOf(opened: OpenedSession): Promise<TokensView> {
    const { token, expiresIn } = await this.tokens.issue(opened.userId, opened.sessionId);
    return {
      accessToken: token,
      expiresIn,
      refreshToken: opened.refreshToken,
      refreshExpiresAt: opened.refreshExpiresAt.toISOString(),
      sessionId: opened.sessionId,
      deviceId: opened.deviceId,
    };
  }

  /**
   * Exchanges a refresh token for new tokens. Each works once, and once more within ten seconds if its answer was lost;
   * any other repeat means that two parties hold it, and ends the session.
   * @throws refresh_invalid, refresh_reused, account_suspended
   */
  async refresh(refreshToken: string): Promise<TokensView> {
    const outcome = await this.database.tx(async (tx) => {
      const presented = await sessions.lockRefreshToken(tx, hashToken(refreshToken));
      if (!presented || presented.userState === 'deleted') return 'invalid';
      // Before the rest: suspending ends the sessions too, and the owner should learn why.
      if (presented.userState === 'suspended') return 'suspended';
      if (presented.revoked || presented.expired) return 'invalid';
      const successorId = newId();
      if (!presented.rotated) await sessions.markRotated(tx, presented.id, successorId);
      else if (!(await this.repeat(presented, successorId, tx))) {
        // The revocation has to be committed, so this is an outcome and not an exception.
        await this.revoke(presented.userId, 'refresh_reused', { sessionId: presented.sessionId }, tx);
        await this.activity.record(presented.userId, 'refresh_reused', presented, tx);
        return 'reused';
      }
      await sessions.touchSession(tx, presented.sessionId, this.config.REFRESH_TOKEN_TTL);
      return this.grow(presented, successorId, tx);
    });
    if (outcome === 'invalid') throw refreshInvalid();
    if (outcome === 'suspended') throw accountSuspended();
    if (outcome === 'reused') throw refreshReused();
    return this.tokensOf(outcome);
  }

  async list(actor: Actor): Promise<SessionView[]> {
    const rows = await sessions.listSessions(this.database, actor.userId);
    return rows.map((row) => toSessionView(row, actor.sessionId));
  }

  /** Ends the session the actor came by. */
  async logout(actor: Actor, origin: RequestOrigin): Promise<void> {
    await this.database.tx(async (tx) => {
      const ended = await this.revoke(actor.userId, 'revoked', { sessionId: actor.sessionId }, tx);
      if (ended > 0)
        await this.activity.record(actor.userId, 'logout', { sessionId: actor.sessionId, ip: origin.ip }, tx);
    });
  }

  /** Nothing happens to one that has ended. @throws not_found for a session of somebody else */
  async revokeOne(actor: Actor, sessionId: string, origin: RequestOrigin): Promise<void> {
    await this.database.tx(async (tx) => {
      if ((await this.revoke(actor.userId, 'revoked', { sessionId }, tx)) > 0)
        await this.activity.record(actor.userId, 'session_revoked', { sessionId, ip: origin.ip }, tx);
      else if ((await sessions.findSessionStatuses(tx, [sessionId])).get(sessionId)?.userId !== actor.userId)
        throw notFound();
    });
  }

  async revokeOthers(actor: Actor, origin: RequestOrigin): Promise<void> {
    await this.database.tx(async (tx) => {
      const ended = await this.revoke(actor.userId, 'revoked', { exceptSessionId: actor.sessionId }, tx);
      if (ended > 0) await this.activity.record(actor.userId, 'session_revoked', { ip: origin.ip }, tx);
    });
  }

  /** Ends live sessions and tells every replica after the commit; answers how many ended. */
  async revoke(userId: string, reason: RevocationReason, scope: sessions.RevocationScope, tx: Tx): Promise<number> {
    const ended = await sessions.revokeSessions(tx, userId, reason, scope);
    if (ended.length > 0) tx.afterCommit(() => this.events.hint(new SessionRevoked(userId, ended, reason)));
    return ended.length;
  }

  /** For the token check: whether the session of a token is good now. */
  async stateOf(sessionId: string, claims: TokenClaims): Promise<SessionState | undefined> {
    const status = await this.statuses.ask(sessionId);
    if (!status) return undefined;
    const { userId, deviceId, kind, revokedAt, userState } = status;
    // A host application's tokens are refused up to the revocation; one issued later opens the session again.
    const revoked = revokedAt !== null && (kind === 'builtin' || claims.issuedAt <= revokedAt.getTime());
    const refused =
      revoked || userState === 'deleted' ? 'session_revoked' : userState === 'suspended' ? 'account_suspended' : null;
    return { userId, deviceId, refused };
  }

  private async repeat(presented: sessions.PresentedToken, successorId: string, tx: Tx): Promise<boolean> {
    if (!presented.inGrace || presented.successorId === null) return false;
    return sessions.replaceUnusedSuccessor(tx, presented.id, presented.successorId, successorId);
  }

  private async grow(
    { sessionId, userId, deviceId }: Pick<OpenedSession, 'sessionId' | 'userId' | 'deviceId'>,
    tokenId: string,
    tx: Tx,
  ) {
    const refreshToken = newSecret(32);
    const token = { id: tokenId, sessionId, tokenHash: hashToken(refreshToken) };
    const refreshExpiresAt = await sessions.insertRefreshToken(tx, token, this.config.REFRESH_TOKEN_TTL);
    return { sessionId, userId, deviceId, refreshToken, refreshExpiresAt };
  }
}

/** 256 random bits need no slow hash. */
const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url');
