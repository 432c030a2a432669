import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { currentRequestId } from '../logging/request-context.js';

/** Where a request came from, for sessions and the security log. Stored hashed and cut. */
export interface RequestOrigin {
  ip: string;
  userAgent: string | null;
}

const MAX_USER_AGENT = 256;

export const originOf = (request: Pick<Request, 'ip' | 'headers'>): RequestOrigin => ({
  ip: request.ip ?? '',
  userAgent: request.headers['user-agent']?.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_USER_AGENT) ?? null,
});

/** The RequestOrigin of the request. */
export const CurrentOrigin = createParamDecorator((_: unknown, context: ExecutionContext): RequestOrigin =>
  originOf(context.switchToHttp().getRequest<Request>()),
);

/** Where a privileged action came from, for the audit log. */
export interface RequestTrace {
  requestId: string;
  ip: string;
}

/** The RequestTrace of the request. */
export const CurrentTrace = createParamDecorator((_: unknown, context: ExecutionContext): RequestTrace => {
  const request = context.switchToHttp().getRequest<Request>();
  return { requestId: currentRequestId(request), ip: request.ip ?? '' };
});
