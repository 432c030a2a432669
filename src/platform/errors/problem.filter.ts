import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { jitter } from '../clock/clock.js';
import { Log } from '../logging/log.js';
import { currentRequestId } from '../logging/request-context.js';
import { reportUnexpected } from './report-unexpected.js';
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
    const error = translateError(thrown);
    reportUnexpected(this.log, error, { route: `${request.method} ${request.route?.path ?? request.path}` });
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
}
