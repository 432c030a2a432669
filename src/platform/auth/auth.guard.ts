import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { DomainError } from '../errors/domain-error.js';
import { type Actor, requirePermission } from './actor.js';
import { Actors } from './actors.js';
import { type AuthenticatedRequest, POLICY, type RoutePolicy } from './auth.decorator.js';

const MAX_DEVICE_ID = 128;

/** Says who a REST caller is, and refuses those who lack the permission a route names. Sockets authenticate at the handshake. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly actors: Actors,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const policy = this.reflector.getAllAndOverride<RoutePolicy | undefined>(POLICY, [
      context.getHandler(),
      context.getClass(),
    ]);
    // Everything else is public, or checked by its handler.
    if (policy !== 'user' && typeof policy !== 'object') return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    request.actor = await this.authenticate(request);
    if (typeof policy === 'object') requirePermission(request.actor, policy.permission);
    return true;
  }

  private async authenticate(request: AuthenticatedRequest): Promise<Actor> {
    const device = request.headers['x-device-id'];
    try {
      return await this.actors.authenticate(
        bearerToken(request),
        typeof device === 'string' ? device.slice(0, MAX_DEVICE_ID) : undefined,
      );
    } catch (error) {
      // An expired token or an ended session was real once: not a guess.
      if (error instanceof DomainError && error.code === 'unauthenticated') await this.actors.refused(request.ip ?? '');
      throw error;
    }
  }
}

/** Bearer tokens travel in the Authorization header alone: never in a query string, never in a cookie. */
export function bearerToken(request: { headers: { authorization?: string | undefined } }): string | undefined {
  return /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
}
