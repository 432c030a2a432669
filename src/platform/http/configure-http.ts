import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import type { NextFunction, Request, Response } from 'express';
import { Config } from '../config/config.js';
import { Load } from '../lifecycle/load.js';
import { matchedRoute } from '../errors/matched-route.js';
import { fromIssues } from '../errors/translate-error.js';
import { currentRequestId } from '../logging/request-context.js';
import { metrics } from '../logging/metrics.js';
import { monotonicMs } from '../clock/clock.js';
import { admission } from './admission.js';
import { jsonBody } from './json-body.js';

/** Everything REST needs before the first route: headers, origins, bodies, the schema pipe. */
export function configureHttp(app: NestExpressApplication, config: Config): void {
  const load = app.get(Load);
  app.set('trust proxy', config.TRUST_PROXY_HOPS);
  app.set('x-powered-by', false);
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.use(requestContext(load));
  app.use(
    helmet({
      contentSecurityPolicy: {
        directives: {
          'connect-src': ["'self'", 'ws:', 'wss:'],
          'img-src': ["'self'", 'data:', 'blob:'],
          'upgrade-insecure-requests': null,
        },
      },
      crossOriginResourcePolicy: { policy: 'same-site' },
      strictTransportSecurity: config.isProduction,
    }),
  );
  if (config.CORS_ORIGINS.length > 0) {
    app.enableCors({
      origin: config.CORS_ORIGINS,
      credentials: false,
      exposedHeaders: [
        'ETag',
        'Location',
        'X-Request-Id',
        'Retry-After',
        'RateLimit',
        'RateLimit-Policy',
        'Idempotency-Replayed',
      ],
      maxAge: 600,
    });
  }
  // After the headers of CORS, so that pages can read the refusal; before a byte of the body is parsed.
  app.use(admission(load));
  app.use(...jsonBody(config.HTTP_BODY_MAX));
  app.useGlobalPipes(new StandardSchemaValidationPipe({ exceptionFactory: fromIssues }));
}

/** Gives every answer its request id and every route its duration. */
const requestContext =
  (load: Load) =>
  (request: Request, response: Response, next: NextFunction): void => {
    const startedAt = monotonicMs();
    response.setHeader('X-Request-Id', currentRequestId(request));
    response.setHeader('Cache-Control', 'no-store');
    load.inFlight += 1;
    metrics.httpActive.inc();
    response.once('close', () => {
      load.inFlight -= 1;
      metrics.httpActive.dec();
      metrics.httpDuration.observe(
        {
          http_request_method: request.method,
          http_route: matchedRoute(request) ?? 'unmatched',
          http_response_status_code: String(response.statusCode),
        },
        (monotonicMs() - startedAt) / 1000,
      );
    });
    next();
  };
