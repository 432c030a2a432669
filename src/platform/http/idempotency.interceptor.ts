import { createHash } from 'node:crypto';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Response } from 'express';
import { from, lastValueFrom, type Observable } from 'rxjs';
import type { AuthenticatedRequest } from '../auth/auth.decorator.js';
import { DomainError, validationFailed } from '../errors/domain-error.js';
import { matchedRoute } from '../errors/matched-route.js';
import { translateError } from '../errors/translate-error.js';
import { type IdempotencyClaim, IdempotencyKeys } from './idempotency-keys.js';

const WITHOUT = 'parley:without-idempotency-key';
const ACCEPTABLE = /^[\x21-\x7e][\x20-\x7e]{0,127}$/;

/** For POSTs that a stored answer would hurt (signing in): the header is ignored. */
export const WithoutIdempotencyKey = () => SetMetadata(WITHOUT, true);

/**
 * `Idempotency-Key` on POST: the same key and body answer the stored result for 24 hours, whichever replica is asked.
 * Requests with a `clientId` have that as their key. What may well differ next time (401, 429, 5xx) is not stored.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  constructor(
    private readonly keys: IdempotencyKeys,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const key = request.headers['idempotency-key'];
    const body = request.body as Record<string, unknown> | undefined;
    if (request.method !== 'POST' || key === undefined || body?.['clientId'] !== undefined) return next.handle();
    if (this.reflector.getAllAndOverride<boolean>(WITHOUT, [context.getHandler(), context.getClass()]))
      return next.handle();
    if (typeof key !== 'string' || !ACCEPTABLE.test(key)) {
      throw validationFailed({
        path: 'Idempotency-Key',
        code: 'invalid_format',
        message: '1 to 128 printable characters',
      });
    }
    const claim: IdempotencyClaim = {
      scope: request.actor?.userId ?? `address:${hash(request.ip ?? '')}`,
      route: `${request.method} ${matchedRoute(request) ?? request.path} ${hash(JSON.stringify(request.params))}`,
      key,
      bodyHash: hash(JSON.stringify(body ?? null)),
    };
    return from(this.run(claim, context.switchToHttp().getResponse<Response>(), next));
  }

  private async run(claim: IdempotencyClaim, response: Response, next: CallHandler): Promise<unknown> {
    const stored = await this.keys.claim(claim);
    if (stored) {
      response.setHeader('Idempotency-Replayed', 'true');
      if ('code' in stored) throw new DomainError(stored.code, stored.details);
      response.status(stored.status);
      return stored.body;
    }
    try {
      const body: unknown = await lastValueFrom(next.handle(), { defaultValue: undefined });
      await this.keys.store(claim, { status: response.statusCode, body });
      return body;
    } catch (thrown) {
      const { code, details, status } = translateError(thrown);
      if (status === 401 || status === 429 || status >= 500) await this.keys.release(claim);
      else await this.keys.store(claim, { status, code, details });
      throw thrown;
    }
  }
}

const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');
