import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { jitter } from '../clock/clock.js';
import { Config } from '../config/config.js';
import { DomainError } from '../errors/domain-error.js';
import { type Problem, toProblem } from '../errors/problem.js';
import { translateError } from '../errors/translate-error.js';
import { Load } from '../lifecycle/load.js';
import { metrics } from '../logging/metrics.js';
import { currentRequestId } from '../logging/request-context.js';
import { addressKey } from '../ratelimit/address-key.js';
import { RateLimiter, rateLimited } from '../ratelimit/rate-limiter.js';

const SPREAD_MS = 5000;

/**
 * Decides before the upgrade whether a socket may come at all. A refusal here is plain HTTP, after which clients try
 * again by themselves; a refusal in the namespace would end their attempts.
 */
@Injectable()
export class HandshakeGate {
  private draining = false;

  constructor(
    private readonly config: Config,
    private readonly limiter: RateLimiter,
    private readonly load: Load,
  ) {}

  close(): void {
    this.draining = true;
  }

  /** The problem to answer with, or undefined to let it in. */
  async refusal(request: IncomingMessage): Promise<Problem | undefined> {
    try {
      await this.check(request);
      return undefined;
    } catch (thrown) {
      const error = translateError(thrown);
      metrics.wsConnects.inc({ result: error.code });
      return toProblem(error, '/socket.io/', currentRequestId(request), jitter);
    }
  }

  private async check(request: IncomingMessage): Promise<void> {
    if (this.draining) throw new DomainError('draining', { retryAfterMs: SPREAD_MS });
    // Another replica has room, or this one has in a while; a new socket costs more than what it would be refused then.
    if (this.load.sheds('essential')) throw new DomainError('overloaded', { retryAfterMs: SPREAD_MS });
    if (!this.isOwnOrigin(request)) throw new DomainError('origin_not_allowed');
    const perAddress = await this.limiter.check('handshake', addressKey(this.addressOf(request)), {
      route: 'handshake',
    });
    if (perAddress.exceeded) throw rateLimited(perAddress);
    // One count for the whole replica, so that a storm after an outage is taken in at a pace the database can follow.
    const admission = await this.limiter.check('admission', 'replica', { route: 'handshake' });
    if (admission.exceeded) throw new DomainError('overloaded', { retryAfterMs: admission.resetMs + SPREAD_MS / 5 });
  }

  /** Programs send no Origin; web pages need the own origin or one of the configured. */
  private isOwnOrigin({ headers }: IncomingMessage): boolean {
    const { origin, host } = headers;
    if (origin === undefined) return true;
    const { CORS_ORIGINS, PUBLIC_URL } = this.config;
    if (CORS_ORIGINS.includes(origin) || (PUBLIC_URL !== undefined && new URL(PUBLIC_URL).origin === origin))
      return true;
    return URL.canParse(origin) && new URL(origin).host === host;
  }

  private addressOf(request: IncomingMessage): string {
    const own = request.socket.remoteAddress ?? '';
    const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',');
    const chain = [
      ...forwarded
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
      own,
    ];
    return chain.at(-1 - this.config.TRUST_PROXY_HOPS) ?? chain[0] ?? own;
  }
}
