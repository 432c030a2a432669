import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { requirePermission } from '../../platform/auth/actor.js';
import { Actors } from '../../platform/auth/actors.js';
import { bearerToken } from '../../platform/auth/auth.guard.js';
import { Config } from '../../platform/config/config.js';
import { sameSecret } from './same-secret.js';

/** Lets in whoever has the probe token, which needs no database, or the permission health.read. */
@Injectable()
export class ProbeGuard implements CanActivate {
  constructor(
    private readonly config: Config,
    private readonly actors: Actors,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const token = bearerToken(context.switchToHttp().getRequest<Request>());
    if (sameSecret(token, this.config.HEALTH_PROBE_TOKEN)) return true;
    requirePermission(await this.actors.authenticate(token), 'health.read');
    return true;
  }
}
