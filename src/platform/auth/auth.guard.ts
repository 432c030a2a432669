import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { requirePermission } from './actor.js';
import { Actors } from './actors.js';
import { type AuthenticatedRequest, POLICY, type RoutePolicy } from './auth.decorator.js';

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
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const token = bearerToken(request);
    if (policy !== 'user' && typeof policy !== 'object') {
      // A caller who is known anyway is welcome on a public route: some answer more to users.
      return true;
    }
    const device = request.headers['x-device-id'];
    request.actor = await this.actors.authenticate(
      token,
      typeof device === 'string' ? device.slice(0, 128) : undefined,
    );
    if (typeof policy === 'object') requirePermission(request.actor, policy.permission);
    return true;
  }
}

/** Bearer tokens travel in the Authorization header alone: never in a query string, never in a cookie. */
export function bearerToken(request: { headers: { authorization?: string | undefined } }): string | undefined {
  return /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
}
