import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import type { Actor } from './actor.js';
import type { Permission } from './permissions.js';

/**
 * Who may call a route or send a socket event: anybody, any user, or users with a permission. One without a policy fails
 * the boot.
 */
export type RoutePolicy = 'public' | 'user' | { permission: Permission } | 'probe' | 'signature' | 'metrics';
export const POLICY = 'parley:policy';

/** Anybody, without a token. */
export const Public = () => SetMetadata(POLICY, 'public' satisfies RoutePolicy);
/** Any signed-in user; what they may do is decided by the service. */
export const Authenticated = () => SetMetadata(POLICY, 'user' satisfies RoutePolicy);
/** Users with this permission; the service checks it again in its first line. */
export const Requires = (permission: Permission) => SetMetadata(POLICY, { permission } satisfies RoutePolicy);
/** Checked by the handler itself: a signed link, the metrics token, the probe token or a permission. */
export const Guarded = (by: 'probe' | 'signature' | 'metrics') => SetMetadata(POLICY, by satisfies RoutePolicy);

export type AuthenticatedRequest = Request & { actor?: Actor };

/** The Actor of the request. */
export const CurrentActor = createParamDecorator((_: unknown, context: ExecutionContext): Actor => {
  const { actor } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!actor) throw new Error('CurrentActor on a route without an authenticated policy');
  return actor;
});
