import { StandardSchemaValidationPipe } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import helmet from 'helmet';
import type { NextFunction, Request, Response } from 'express';
import { Config } from '../config/config.js';
import { Load } from '../lifecycle/load.js';
import { matchedRoute } from '../errors/matched-route.js';
import { fromIssues } from '../errors/translate-error.js';
import { exemplarOf, openSpan, rememberTrace } from '../logging/tracing.js';
import { currentRequestId } from '../logging/request-context.js';
import { metrics } from '../logging/metrics.js';
import { monotonicMs } from '../clock/clock.js';
import { admission } from './admission.js';
import { jsonBody } from './json-body.js';
import { PUBLIC_URL_SETTING } from './own-address.js';

/** Everything REST needs before the first route: headers, origins, bodies, the schema pipe. */
export function configureHttp(app: NestExpressApplication, config: Config): void {
  const load = app.get(Load);
  app.set('trust proxy', config.TRUST_PROXY_HOPS);
  app.set(PUBLIC_URL_SETTING, config.PUBLIC_URL);
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
  // All positions that a client may have do not fit into the usual limit; as an event they do.
  app.use('/api/v1/sync', ...jsonBody(Math.max(config.HTTP_BODY_MAX, config.WS_FRAME_MAX)));
  app.use(...jsonBody(config.HTTP_BODY_MAX));
  app.useGlobalPipes(new SchemaPipe({ exceptionFactory: fromIssues }));
}

/** Schemas say themselves which members they take; Nest would drop "constructor" and "prototype", which content may be called. */
class SchemaPipe extends StandardSchemaValidationPipe {
  protected override stripProtoKeys(): void {}
}

/** Gives every answer its request id, every route its duration, and every request a span where somebody traces. */
const requestContext =
  (load: Load) =>
  (request: Request, response: Response, next: NextFunction): void => {
    const startedAt = monotonicMs();
    response.setHeader('X-Request-Id', currentRequestId(request));
    response.setHeader('Cache-Control', 'no-store');
    load.inFlight += 1;
    metrics.httpActive.inc();
    const { method, headers } = request;
    const span = openSpan({ name: method, kind: 'server', traceparent: headers['traceparent'] });
    rememberTrace(request, span);
    response.once('close', () => {
      load.inFlight -= 1;
      metrics.httpActive.dec();
      const route = matchedRoute(request) ?? 'unmatched';
      const { statusCode } = response;
      metrics.httpDuration.observe({
        labels: { http_request_method: method, http_route: route, http_response_status_code: String(statusCode) },
        value: (monotonicMs() - startedAt) / 1000,
        exemplarLabels: exemplarOf(span),
      });
      span?.end({
        name: `${method} ${route}`,
        facts: { 'http.request.method': method, 'http.route': route, 'http.response.status_code': statusCode },
        ...(statusCode >= 500 ? { error: String(statusCode) } : {}),
      });
    });
    if (span) span.within(next);
    else next();
  };
