import { isUtf8 } from 'node:buffer';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { DomainError } from '../errors/domain-error.js';

const MAX_DEPTH = 20;

/**
 * JSON bodies up to `limit` bytes after decompression, UTF-8 only, at most 20 levels deep. Anything that is not JSON is
 * left unread for the routes that stream (uploads), which are the only ones that accept it.
 */
export function jsonBody(limit: number): RequestHandler[] {
  const parse = express.json({
    limit,
    strict: true,
    type: ['application/json', 'application/*+json'],
    // body-parser writes a status onto whatever is thrown here, so it gets plain errors and `explain` says what they mean.
    verify: (_request, _response, raw, encoding) => {
      if (encoding !== 'utf-8') throw Object.assign(new Error(), { type: 'charset.unsupported' });
      if (!isUtf8(raw)) throw Object.assign(new Error(), { type: 'encoding.invalid' });
    },
  });
  return [
    (request, response, next) =>
      parse(request, response, (error?: unknown) => next(error === undefined ? undefined : explain(error))),
    requireJson,
    limitDepth,
  ];
}

/** body-parser describes what it met in words that echo input; they are not passed on. */
function explain(error: unknown): DomainError {
  switch ((error as { type?: string } | null)?.type) {
    case 'encoding.invalid':
      return new DomainError('malformed_request', { detail: 'The body is not valid UTF-8' });
    case 'entity.parse.failed':
      return new DomainError('malformed_request', { detail: 'The body is not valid JSON' });
    case 'entity.too.large':
      return new DomainError('payload_too_large');
    case 'charset.unsupported':
    case 'encoding.unsupported':
      return new DomainError('unsupported_media_type', {
        detail: 'Only UTF-8, optionally gzip, deflate or br, is accepted',
      });
    case 'request.aborted':
    case 'request.size.invalid':
      return new DomainError('malformed_request', { detail: 'The body ended early' });
    default:
      return new DomainError('malformed_request', {}, { cause: error });
  }
}

/** A JSON route that got another type would see an empty body and complain about missing members; say what is wrong instead. */
function requireJson(request: Request, _response: Response, next: NextFunction): void {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  const streamed = request.path.startsWith('/api/v1/media/files/');
  if (hasBody && request.body === undefined && !streamed)
    next(new DomainError('unsupported_media_type', { detail: 'Send application/json' }));
  else next();
}

function limitDepth(request: Request, _response: Response, next: NextFunction): void {
  next(
    isDeeperThan(request.body, MAX_DEPTH)
      ? new DomainError('payload_too_large', { detail: `JSON may be ${MAX_DEPTH} levels deep` })
      : undefined,
  );
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}
