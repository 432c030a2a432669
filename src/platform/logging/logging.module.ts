import type { IncomingMessage } from 'node:http';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { currentRequestId } from './request-context.js';
import { Log } from './log.js';
import type { LogEvent } from './log-events.js';
import { traceOf } from './tracing.js';
import { TracingLifecycle } from './tracing-lifecycle.js';

/** nestjs-pino for the access log, `Log` for our events; both write to the same stream. */
@Global()
@Module({})
export class LoggingModule {
  static register(log: Log): DynamicModule {
    return {
      module: LoggingModule,
      imports: [
        LoggerModule.forRoot({
          pinoHttp: {
            logger: log.pino,
            genReqId: currentRequestId,
            quietReqLogger: true,
            customProps: (req: IncomingMessage) => ({ ...traceOf(req) }),
            // One line per request, from an allow-list: no headers, no query, no bodies.
            serializers: {
              req: (req: { id: string; method: string; url: string }) => ({
                id: req.id,
                method: req.method,
                path: req.url.split('?')[0],
              }),
              res: (res: { statusCode: number }) => ({ status: res.statusCode }),
            },
            customSuccessMessage: () => 'http.request',
            customErrorMessage: () => 'http.request',
            customSuccessObject: (_req, _res, value: object) => ({
              ...value,
              event: 'http.request' satisfies LogEvent,
            }),
            customErrorObject: (_req, _res, _error, value: object) => ({
              ...value,
              event: 'http.request' satisfies LogEvent,
              err: undefined,
            }),
            customAttributeKeys: { responseTime: 'dur_ms' },
            autoLogging: {
              ignore: (req) => /^\/(health|livez|ready|readyz|startup|startupz|metrics)\b/.test(req.url ?? ''),
            },
          },
        }),
      ],
      providers: [{ provide: Log, useValue: log }, TracingLifecycle],
      exports: [Log],
    };
  }
}
