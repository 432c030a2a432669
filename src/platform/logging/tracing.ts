/** What a span says about the thing it measures; never a body, a secret or a path with an id. */
export type SpanFacts = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  name: string;
  kind?: 'server' | 'client' | 'consumer';
  facts?: SpanFacts;
  /** W3C `traceparent` of the caller, who may be anybody. */
  traceparent?: string | string[] | undefined;
}

export interface TraceIds {
  trace_id: string;
  span_id: string;
}

/** A measurement under way. */
export interface OpenSpan {
  readonly ids: TraceIds;
  /** Runs `work` as part of the span: what it opens belongs to it. */
  within<Result>(work: () => Result): Result;
  /** `error` is a name for what went wrong. */
  end(outcome?: { name?: string; facts?: SpanFacts; error?: string }): void;
}

export interface Tracer {
  open(start: SpanStart): OpenSpan;
  /** Of the span the caller runs in. */
  current(): TraceIds | undefined;
  /** Of the span the caller runs in, for requests to others. */
  traceparent(): string | undefined;
  stop(): Promise<void>;
}

/** None unless OTEL_EXPORTER_OTLP_ENDPOINT is set: the rest of the code then asks one variable and goes on. */
let tracer: Tracer | undefined;
const spansOf = new WeakMap<object, TraceIds>();

export function useTracer(next: Tracer | undefined): void {
  tracer = next;
}

/** A span for the caller to end; undefined while nobody traces. */
export const openSpan = (start: SpanStart): OpenSpan | undefined => tracer?.open(start);

/** The same, only as part of another span: what polls all day is no trace of its own. */
export const openChildSpan = (start: () => SpanStart): OpenSpan | undefined =>
  tracer?.current() === undefined ? undefined : tracer.open(start());

/** Runs `work` in a span that ends when it does; the class of what it throws is the span's error. */
export async function spanned<Result>(start: SpanStart, work: () => Promise<Result>): Promise<Result> {
  const span = tracer?.open(start);
  if (!span) return work();
  try {
    const result = await span.within(work);
    span.end();
    return result;
  } catch (error) {
    span.end({ error: error instanceof Error ? error.name : 'error' });
    throw error;
  }
}

/** Ids for a log line; nothing outside of a span. */
export const currentTrace = (): TraceIds | undefined => tracer?.current();

/** `traceparent` for a request to somebody else, as headers to spread. */
export function traceHeaders(): Record<string, string> {
  const traceparent = tracer?.traceparent();
  return traceparent === undefined ? {} : { traceparent };
}

/** Of the trace the caller runs in, where it is recorded: for what is stored now and goes on later. */
export function storedTrace(): string | undefined {
  const traceparent = tracer?.traceparent();
  return traceparent?.endsWith('-01') ? traceparent : undefined;
}

/** A payload that carries the trace in which it came about; itself while nobody traces. */
export function withTrace(payload: Record<string, unknown>): Record<string, unknown> {
  const traceparent = storedTrace();
  return traceparent === undefined ? payload : { ...payload, traceparent };
}

/** The trace that a stored payload carries, and the payload without it. */
export function splitTrace(stored: Record<string, unknown>): {
  traceparent: string | undefined;
  payload: Record<string, unknown>;
} {
  const { traceparent, ...payload } = stored;
  return typeof traceparent === 'string' ? { traceparent, payload } : { traceparent: undefined, payload: stored };
}

/** Lets the access log, which is written when no span runs any more, name the span of its request. */
export function rememberTrace(subject: object, span: OpenSpan | undefined): void {
  if (span) spansOf.set(subject, span.ids);
}
export const traceOf = (subject: object): TraceIds | undefined => spansOf.get(subject);

/** Labels of an exemplar: which trace was so slow. */
export const exemplarOf = (span: OpenSpan | undefined): Record<string, string> =>
  span ? { trace_id: span.ids.trace_id } : NONE;
const NONE: Record<string, string> = {};
