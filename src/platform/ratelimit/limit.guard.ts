import { type CanActivate, type ExecutionContext, Injectable, type OnModuleInit, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { Actors } from '../auth/actors.js';
import type { AuthenticatedRequest } from '../auth/auth.decorator.js';
import { addressKey } from './address-key.js';
import { RateLimiter, rateLimited } from './rate-limiter.js';
import type { Quota, RuleName } from './rules.js';

const LIMITED = 'parley:limited';

/** Counts a route against these rules as well, per user, or per address where nobody is signed in. */
export const Limited = (...rules: RuleName[]) => SetMetadata(LIMITED, rules);
/** Not counted at all: probes, and routes that count themselves. */
export const Unlimited = () => SetMetadata(LIMITED, null);

/** Every REST route is counted per user, without a user per address; the answer says where the caller stands. */
@Injectable()
export class LimitGuard implements CanActivate, OnModuleInit {
  constructor(
    private readonly reflector: Reflector,
    private readonly limiter: RateLimiter,
    private readonly actors: Actors,
  ) {}

  onModuleInit(): void {
    // A caller with a bad token is nobody, and never gets as far as this guard.
    this.actors.useRefusals(async (address) => void (await this.limiter.consume('anon', addressKey(address))));
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const rules = this.reflector.getAllAndOverride<RuleName[] | null | undefined>(LIMITED, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (rules === null) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const userId = request.actor?.userId;
    const key = userId ?? addressKey(request.ip ?? '');
    const about = {
      route: `${request.method} ${request.route?.path ?? ''}`,
      ...(userId === undefined ? {} : { userId }),
    };
    const quotas: Quota[] = [];
    for (const rule of [userId === undefined ? ('anon' as const) : ('rest' as const), ...(rules ?? [])]) {
      const quota = await this.limiter.check(rule, key, about);
      quotas.push(quota);
      if (quota.exceeded) break;
    }
    const response = context.switchToHttp().getResponse<Response>();
    response.setHeader(
      'RateLimit-Policy',
      quotas.map(({ rule, limit, windowSeconds }) => `"${rule}";q=${limit};w=${windowSeconds}`).join(', '),
    );
    response.setHeader(
      'RateLimit',
      quotas
        .map(({ rule, remaining, resetMs }) => `"${rule}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`)
        .join(', '),
    );
    const exceeded = quotas.find((quota) => quota.exceeded);
    if (exceeded) throw rateLimited(exceeded);
    return true;
  }
}
