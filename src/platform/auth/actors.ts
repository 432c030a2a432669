import { Injectable } from '@nestjs/common';
import { Coalescer } from '../database/coalescer.js';
import type { Db } from '../database/db.js';
import { DomainError } from '../errors/domain-error.js';
import type { DeliveredEvent } from '../events/domain-event.js';
import { Live } from '../events/event-handlers.js';
import { Actor } from './actor.js';
import { GrantsChanged, SessionRevoked } from './auth.events.js';
import { BriefMemory } from '../clock/brief-memory.js';
import type { Permission } from './permissions.js';
import { TokenService, type TokenClaims } from './token.service.js';

/** The state of an auth session, as its owner (the users module) sees it. */
export interface SessionState {
  userId: string;
  deviceId: string;
  /** Why its tokens are refused, or null while it is good. */
  refused: 'session_revoked' | 'account_suspended' | null;
}

export interface Grants {
  roles: readonly string[];
  permissions: readonly Permission[];
}

/** Looks a session up; undefined when there is none. */
export type SessionSource = (sessionId: string, claims: TokenClaims) => Promise<SessionState | undefined>;
/** Told the address of a caller whose token was refused; may throw in place of the refusal. */
export type RefusalObserver = (address: string) => Promise<void>;
/** Of each of the users, whether they hold anything or not; `db` is the snapshot to read from, by default the pool. */
export type GrantSource = (userIds: readonly string[], db?: Db) => Promise<Map<string, Grants>>;

/** Revocations and role changes act within 5 s even when no replica tells this one. */
const CACHE_MS = 4000;
const MAX_CACHED = 50_000;
/** What everybody has, and nothing more. */
const NOTHING: Grants = { roles: ['user'], permissions: [] };

/** Turns a token into an Actor. Users registers as the source of sessions, administration as the source of grants. */
@Injectable()
export class Actors {
  private sessions: SessionSource | undefined;
  private grants: GrantSource = async () => new Map();
  private observeRefusal: RefusalObserver = async () => {};
  private readonly cache = new BriefMemory<Actor>(CACHE_MS, MAX_CACHED);
  private readonly grantsTogether = new Coalescer<string, Grants>(async (userIds) => {
    const grants = await this.grants(userIds);
    return userIds.map((id) => grants.get(id) ?? NOTHING);
  });

  constructor(private readonly tokens: TokenService) {}

  useSessions(source: SessionSource): void {
    this.sessions = source;
  }

  /** The rate limits count refusals: guessing tokens is no way around them. */
  useRefusals(observer: RefusalObserver): void {
    this.observeRefusal = observer;
  }

  /** @throws rate_limited */
  refused(address: string): Promise<void> {
    return this.observeRefusal(address);
  }

  useGrants(source: GrantSource): void {
    this.grants = source;
  }

  /** @throws unauthenticated, token_expired, session_revoked, account_suspended */
  async authenticate(token: string | undefined, deviceId?: string): Promise<Actor> {
    if (!token) throw new DomainError('unauthenticated');
    const claims = await this.tokens.verify(token, deviceId);
    // By issue time too: a host application's session comes back after its revocation, for tokens issued later only.
    const key = `${claims.sessionId} ${claims.issuedAt}`;
    const cached = this.cache.get(key);
    if (cached?.userId === claims.userId)
      return cached.expiresAt === claims.expiresAt ? cached : withExpiry(cached, claims.expiresAt);
    const actor = await this.resolve(claims);
    this.cache.set(key, actor);
    return actor;
  }

  /** Forgets what is known about a user, after a revocation or a change of roles. */
  forget(userId: string): void {
    this.cache.deleteWhere((actor) => actor.userId === userId);
  }

  forgetAll(): void {
    this.cache.clear();
  }

  @Live(SessionRevoked)
  onSessionRevoked(event: DeliveredEvent): void {
    this.forget(event.key);
  }

  @Live(GrantsChanged)
  onGrantsChanged(event: DeliveredEvent): void {
    if (event.key === GrantsChanged.EVERYBODY) this.forgetAll();
    else this.forget(event.key);
  }

  /** Roles and permissions of a user, as their next request will have them. */
  async grantsOf(userId: string, db?: Db): Promise<Grants> {
    if (!db) return this.grantsTogether.ask(userId);
    return (await this.grantsOfMany([userId], db)).get(userId) ?? NOTHING;
  }

  /** The same of many. */
  grantsOfMany(userIds: readonly string[], db?: Db): Promise<Map<string, Grants>> {
    return this.grants(userIds, db);
  }

  private async resolve(claims: TokenClaims): Promise<Actor> {
    if (!this.sessions) throw new Error('no source of sessions is registered');
    const [session, { roles, permissions }] = await Promise.all([
      this.sessions(claims.sessionId, claims),
      this.grantsOf(claims.userId),
    ]);
    if (!session || session.userId !== claims.userId) throw new DomainError('session_revoked');
    if (session.refused) throw new DomainError(session.refused);
    return new Actor(claims.userId, claims.sessionId, session.deviceId, new Set(permissions), roles, claims.expiresAt);
  }
}

const withExpiry = (actor: Actor, expiresAt: number): Actor =>
  new Actor(actor.userId, actor.sessionId, actor.deviceId, actor.permissions, actor.roles, expiresAt);
