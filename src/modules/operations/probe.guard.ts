import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { requirePermission } from '../../platform/auth/actor.js';
import { Actors } from '../../platform/auth/actors.js';
import { bearerToken } from '../../platform/auth/auth.guard.js';
import { epochMs } from '../../platform/clock/clock.js';
import { Config } from '../../platform/config/config.js';
import { DatabaseMonitor } from '../../platform/database/database-monitor.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import { digestOf, sameSecret } from './same-secret.js';

const MOST_SEEN = 1000;
const TRUSTED_MS = 15 * 60_000;

/**
 * Lets in whoever has the probe token, which needs no database, or the permission health.read. Who had it when the
 * database last answered keeps it through an outage, for a quarter of an hour and no longer than the token lives.
 */
@Injectable()
export class ProbeGuard implements CanActivate {
  /** Until when a token is good, by its digest. */
  private readonly seen = new Map<string, number>();

  constructor(
    private readonly config: Config,
    private readonly actors: Actors,
    private readonly monitor: DatabaseMonitor,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const token = bearerToken(context.switchToHttp().getRequest<Request>());
    if (sameSecret(token, this.config.HEALTH_PROBE_TOKEN)) return true;
    if (token !== undefined && this.monitor.state === 'down') return this.wasLetIn(token);
    const actor = await this.actors.authenticate(token);
    requirePermission(actor, 'health.read');
    if (token !== undefined) this.remember(token, actor.expiresAt);
    return true;
  }

  private wasLetIn(token: string): boolean {
    if ((this.seen.get(digestOf(token)) ?? 0) > epochMs()) return true;
    throw new DomainError('database_unavailable');
  }

  private remember(token: string, expiresAt: number): void {
    if (this.seen.size >= MOST_SEEN) this.seen.clear();
    this.seen.set(digestOf(token), Math.min(expiresAt, epochMs() + TRUSTED_MS));
  }
}
