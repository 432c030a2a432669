import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { RateLimiterAbstract } from 'rate-limiter-flexible';
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js';
import RateLimiterRedis from 'rate-limiter-flexible/lib/RateLimiterRedis.js';
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js';
import type { Cluster, Redis } from 'ioredis';
import { SecretBox } from '../auth/secret-box.js';
import { Config } from '../config/config.js';
import { isOutage } from '../database/database-error.js';
import { DatabaseService } from '../database/database.service.js';
import { sql } from '../database/sql.js';
import { DomainError } from '../errors/domain-error.js';
import { BackgroundWork } from '../lifecycle/background-work.js';
import { Breakers } from '../lifecycle/breakers.js';
import { type HealthReading, HealthRegistry } from '../lifecycle/health-registry.js';
import { Log } from '../logging/log.js';
import { metrics } from '../logging/metrics.js';
import { PostgresCounters } from './postgres-counters.js';
import { connectRedis } from './redis-store.js';
import { type Quota, type Rule, type RuleName, rulesOf } from './rules.js';
import { TokenBucket } from './token-bucket.js';

/** A refusal, as operations records it: hashes, no addresses. */
export interface LimitExceeded {
  rule: string;
  route: string | null;
  keyHash: string;
  userId: string | null;
}

type Counter = TokenBucket | RateLimiterAbstract;
const PURGE_EVERY_MS = 3_600_000;
const HEALTH = { name: 'limits', critical: false, timeoutMs: 500, cacheMs: 5000 } as const;

/** Counts what callers do against the rules, for HTTP and sockets alike. */
@Injectable()
export class RateLimiter implements OnModuleInit, OnApplicationShutdown {
  private readonly rules: Record<RuleName, Rule>;
  private readonly counters = new Map<RuleName, Counter>();
  /** Stand in for the shared store. */
  private readonly locals = new Map<RuleName, RateLimiterMemory>();
  private readonly listeners: ((violation: LimitExceeded) => void)[] = [];
  private redis: Redis | Cluster | undefined;

  constructor(
    private readonly config: Config,
    private readonly database: DatabaseService,
    private readonly box: SecretBox,
    private readonly background: BackgroundWork,
    private readonly log: Log,
    private readonly breakers: Breakers,
    private readonly health: HealthRegistry,
  ) {
    this.rules = rulesOf(config);
  }

  async onModuleInit(): Promise<void> {
    this.redis = await this.connectRedis();
    const { redis } = this;
    if (redis) this.health.register({ ...HEALTH, check: () => writable(redis) });
    for (const name of Object.keys(this.rules) as RuleName[]) this.counters.set(name, this.counterFor(name));
    this.background.registerJob({ name: 'ratelimit.purge', every: PURGE_EVERY_MS, run: () => this.purge() });
  }

  onApplicationShutdown(): void {
    this.redis?.disconnect();
  }

  /** Operations listens here to record refusals. */
  onExceeded(listener: (violation: LimitExceeded) => void): void {
    this.listeners.push(listener);
  }

  /**
   * Counts one use. `key` is a user id, an address or a hash; it never reaches a log.
   * @throws rate_limited with the rule and the time to wait
   */
  async consume(rule: RuleName, key: string, context: { route?: string; userId?: string } = {}): Promise<Quota> {
    const quota = await this.check(rule, key, context);
    if (quota.exceeded) throw rateLimited(quota);
    return quota;
  }

  /** The same without throwing. */
  async check(rule: RuleName, key: string, context: { route?: string; userId?: string } = {}): Promise<Quota> {
    return this.recorded(await this.count(rule, key), key, context);
  }

  /** The same at once, for a rule that is never shared between replicas: those count in memory. */
  checkNow(rule: RuleName, key: string, context: { route?: string; userId?: string } = {}): Quota {
    const counter = this.counterOf(rule);
    if (!(counter instanceof TokenBucket)) throw new Error(`rule ${rule} is counted over all replicas`);
    return this.recorded(counter.take(key), key, context);
  }

  /** Starts the count of a key anew, after a success that proves who is calling. */
  async forget(rule: RuleName, key: string): Promise<void> {
    const counter = this.counterOf(rule);
    if (counter instanceof TokenBucket) return counter.forget(key);
    const local = this.locals.get(rule);
    if (!local) await counter.delete(key);
    else await Promise.allSettled([local.delete(key), this.shared(() => counter.delete(key))]);
  }

  private recorded(quota: Quota, key: string, { route, userId }: { route?: string; userId?: string }): Quota {
    if (!quota.exceeded) return quota;
    const { rule } = quota;
    metrics.rateLimited.inc({ rule });
    const keyHash = this.box.sign('ratelimit', key).slice(0, 22);
    for (const listener of this.listeners) listener({ rule, route: route ?? null, keyHash, userId: userId ?? null });
    return quota;
  }

  private async count(name: RuleName, key: string): Promise<Quota> {
    const counter = this.counterOf(name);
    if (counter instanceof TokenBucket) return counter.take(key);
    const { points, seconds } = this.rules[name];
    const toQuota = (result: RateLimiterRes, exceeded: boolean): Quota => ({
      rule: name,
      exceeded,
      limit: points,
      windowSeconds: seconds,
      remaining: exceeded ? 0 : result.remainingPoints,
      resetMs: result.msBeforeNext,
    });
    try {
      return toQuota(await this.consumeFrom(counter, name, key), false);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return toQuota(refusal, true);
      throw refusal;
    }
  }

  /**
   * When the shared store does not count, the local count takes over. Not when the database does not answer at all: what
   * is counted there cannot be done without it, and each further question would cost the caller its time limit.
   */
  private async consumeFrom(counter: RateLimiterAbstract, name: RuleName, key: string): Promise<RateLimiterRes> {
    const local = this.locals.get(name);
    if (!local) return counter.consume(key);
    try {
      return await this.shared(() => counter.consume(key));
    } catch (error) {
      if (error instanceof RateLimiterRes || (!this.redis && isOutage(error))) throw error;
      return local.consume(key);
    }
  }

  /** A Redis that hangs costs each caller its time limit, so it is left alone while it does. */
  private shared<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    if (!this.redis) return work();
    return this.breakers.of('redis', (error) => !(error instanceof RateLimiterRes)).run(work);
  }

  private counterOf(rule: RuleName): Counter {
    const counter = this.counters.get(rule);
    if (!counter) throw new Error('RateLimiter used before onModuleInit');
    return counter;
  }

  private counterFor(name: RuleName): Counter {
    const rule = this.rules[name];
    if (rule.burst > 0 || rule.shared === 'never') return new TokenBucket(name, rule);
    const options = { keyPrefix: name, points: rule.points, duration: rule.seconds };
    if (rule.shared === 'redis' && !this.redis) return new RateLimiterMemory(options);
    // Without the shared store each replica counts alone, and so allows less.
    this.locals.set(name, new RateLimiterMemory({ ...options, points: Math.ceil(rule.points / 2) }));
    if (!this.redis) return new PostgresCounters({ ...options, database: this.database });
    return new RateLimiterRedis({ ...options, keyPrefix: `parley:${name}`, storeClient: this.redis });
  }

  private async connectRedis(): Promise<Redis | Cluster | undefined> {
    if (!this.config.REDIS_URL) return undefined;
    const client = await connectRedis(this.config.REDIS_URL, this.config);
    client.on('error', (error) => this.log.warn('ratelimit.redis_error', { err: error }));
    return client;
  }

  private purge(): Promise<number> {
    const longest = Math.max(...Object.values(this.rules).map(({ seconds }) => seconds));
    return this.database.execute(sql`
      DELETE FROM rate_limit_counters WHERE window_start < now() - make_interval(secs => ${2 * longest})`);
  }
}

/** Asked by writing: a Redis that is full, or only a replica, answers everything else. */
async function writable(redis: Redis | Cluster): Promise<HealthReading> {
  await redis.set('parley:probe', 1, 'EX', 60);
  return { state: 'healthy', observed: { driver: 'redis' } };
}

export const rateLimited = (quota: Quota): DomainError =>
  new DomainError('rate_limited', {
    rule: quota.rule,
    detail: `${quota.limit} per ${quota.windowSeconds === 1 ? 'second' : `${quota.windowSeconds} seconds`}`,
    retryAfterMs: Math.max(1, Math.ceil(quota.resetMs)),
  });
