import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { bearerToken } from '../../platform/auth/auth.guard.js';
import { Config } from '../../platform/config/config.js';
import { DomainError } from '../../platform/errors/domain-error.js';
import { sameSecret } from './same-secret.js';

/** Asks for METRICS_TOKEN where one is set. */
@Injectable()
export class MetricsGuard implements CanActivate {
  constructor(private readonly config: Config) {}

  canActivate(context: ExecutionContext): boolean {
    const { METRICS_TOKEN } = this.config;
    const token = bearerToken(context.switchToHttp().getRequest<Request>());
    if (METRICS_TOKEN !== undefined && !sameSecret(token, METRICS_TOKEN)) throw new DomainError('unauthenticated');
    return true;
  }
}
