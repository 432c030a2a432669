import { type ArgumentsHost, Catch, type ExceptionFilter, NotFoundException } from '@nestjs/common';
import type { Request, Response } from 'express';
import { jitter } from '../clock/clock.js';
import { Log } from '../logging/log.js';
import { currentRequestId } from '../logging/request-context.js';
import { DomainError } from './domain-error.js';
import { reportUnexpected } from './report-unexpected.js';
import { allowedMethods, matchedRoute } from './matched-route.js';
import { retryAfterSeconds, toProblem } from './problem.js';
import { translateError } from './translate-error.js';

/** Turns everything a REST handler throws into a problem object. Sockets use the same two functions in their dispatcher. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly log: Log) {}

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<Request>();
    const response = http.getResponse<Response>();
    const error = this.unmatched(thrown, request, response) ?? translateError(thrown);
    reportUnexpected(this.log, error, { route: `${request.method} ${matchedRoute(request) ?? request.path}` });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const problem = toProblem(error, request.path, currentRequestId(request), jitter);
    const retryAfter = retryAfterSeconds(problem);
    if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
    if (error.status === 413) response.setHeader('Connection', 'close');
    response.status(error.status).type('application/problem+json').send(JSON.stringify(problem));
  }

  /** A path that exists under another method is 405 with `Allow`, not 404. */
  private unmatched(thrown: unknown, request: Request, response: Response): DomainError | undefined {
    if (!(thrown instanceof NotFoundException) || matchedRoute(request)) return undefined;
    const allowed = allowedMethods(request);
    if (allowed.length === 0) return undefined;
    response.setHeader('Allow', allowed.join(', '));
    return new DomainError('method_not_allowed', { detail: `This path answers ${allowed.join(', ')}` });
  }
}
