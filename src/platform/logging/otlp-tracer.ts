import { context, type Context, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { OpenSpan, SpanStart, TraceIds, Tracer } from './tracing.js';

export interface OtlpSettings {
  /** Base of the receiver; spans go to `/v1/traces` below it. */
  endpoint: string;
  /** As in OTEL_EXPORTER_OTLP_HEADERS: name=value, comma-separated, values percent-encoded. */
  headers: string | undefined;
  serviceName: string;
  serviceVersion: string;
  instanceId: string;
  /** Share of the traces that begin here; those of a caller follow the caller's decision. */
  ratio: number;
}

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER } as const;
const EXPORT_EVERY_MS = 2000;
const EXPORT_LIMIT_MS = 5000;
const sampledFlag = 1;

/** Sends spans to an OTLP receiver over HTTP, in batches; a receiver that is away costs spans and nothing else. */
export function createOtlpTracer(settings: OtlpSettings): Tracer {
  const contexts = new AsyncLocalStorageContextManager();
  context.setGlobalContextManager(contexts.enable());
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': settings.serviceName,
      'service.version': settings.serviceVersion,
      'service.instance.id': settings.instanceId,
    }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(settings.ratio) }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({
          url: `${settings.endpoint.replace(/\/+$/, '')}/v1/traces`,
          headers: parseHeaders(settings.headers),
          timeoutMillis: EXPORT_LIMIT_MS,
        }),
        scheduledDelayMillis: EXPORT_EVERY_MS,
        exportTimeoutMillis: EXPORT_LIMIT_MS,
      }),
    ],
  });
  const tracer = provider.getTracer('parley');
  return {
    open({ name, kind, facts = {}, traceparent }) {
      const parent = traceparent === undefined ? context.active() : callerContext(traceparent);
      const options = { attributes: { ...facts }, ...(kind === undefined ? {} : { kind: kinds[kind] }) };
      const span = tracer.startSpan(name, options, parent);
      return openSpan(span, trace.setSpan(parent, span));
    },
    current: () => idsOf(trace.getActiveSpan()),
    traceparent() {
      const active = trace.getActiveSpan()?.spanContext();
      if (!active) return undefined;
      const flags = (active.traceFlags & sampledFlag).toString(16).padStart(2, '0');
      return `00-${active.traceId}-${active.spanId}-${flags}`;
    },
    async stop() {
      await provider.shutdown().catch(() => undefined);
      context.disable();
    },
  };
}

function openSpan(span: Span, inside: Context): OpenSpan {
  return {
    ids: idsOf(span),
    within: (work) => context.with(inside, work),
    end({ name, facts, error } = {}) {
      if (name !== undefined) span.updateName(name);
      if (facts) span.setAttributes({ ...facts });
      if (error !== undefined) {
        span.setAttribute('error.type', error);
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    },
  };
}

function idsOf(span: Span): TraceIds;
function idsOf(span: Span | undefined): TraceIds | undefined;
function idsOf(span: Span | undefined): TraceIds | undefined {
  if (!span) return undefined;
  const { traceId, spanId } = span.spanContext();
  return { trace_id: traceId, span_id: spanId };
}

/** The caller's span as parent (W3C Trace Context, 3.2); a header that is not one begins a trace of our own. */
function callerContext(header: SpanStart['traceparent']): Context {
  const [, traceId, spanId, flags] =
    /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-.*)?$/.exec(String(header)) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags, 16) & sampledFlag;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

const parseHeaders = (text = ''): Record<string, string> =>
  Object.fromEntries(
    text
      .split(',')
      .map((pair) => pair.trim())
      .filter((pair) => pair.indexOf('=') > 0)
      .map((pair) => {
        const at = pair.indexOf('=');
        return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
      }),
  );
