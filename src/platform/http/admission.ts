import type { NextFunction, Request, Response } from 'express';
import { DomainError } from '../errors/domain-error.js';
import type { Load, LoadClass } from '../lifecycle/load.js';

const RETRY_MS = 2000;

/** Probes and the operator's pages are needed most when everything else is refused. */
const never =
  /^\/(health|livez|ready|readyz|startup|startupz|metrics|ops|assets)\b|^\/api\/(v1\/)?(health|ready|db|db-check|queue-check|websocket|system-health|admin)\b/;
const background = /^\/api\/v1\/(search|conversations\/discover|users\/me\/exports)\b|\/export$/;
const hints = /^\/api\/v1\/(presence\b|conversations\/[^/]+\/presence$)/;
const receipts = /\/(receipts|read)$/;
const media = /^\/api\/v1\/media\b/;
const essential = /^\/api\/v1\/(auth\b|sync$)|\/changes$/;

/** How dear a request is; undefined for what is never refused. Decided by method and path alone: nothing is parsed yet. */
export function classOfRequest(method: string, path: string): LoadClass | undefined {
  if (method === 'OPTIONS' || never.test(path)) return undefined;
  if (background.test(path)) return 'background';
  if (hints.test(path)) return 'hint';
  if (receipts.test(path)) return 'receipt';
  if (media.test(path)) return 'read';
  if (essential.test(path)) return 'essential';
  return method === 'GET' || method === 'HEAD' ? 'read' : 'essential';
}

/** Refuses, by class, what an overloaded replica would only finish too late. */
export const admission =
  (load: Load) =>
  (request: Request, response: Response, next: NextFunction): void => {
    const kind = classOfRequest(request.method, request.path);
    if (kind === undefined || !load.sheds(kind)) return next();
    // The body is not read, so what follows it on this connection cannot be.
    if (request.headers['content-length'] ?? request.headers['transfer-encoding'])
      response.setHeader('Connection', 'close');
    next(new DomainError('overloaded', { retryAfterMs: RETRY_MS }));
  };
