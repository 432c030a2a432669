/** One value of a prom-client histogram, as its `get()` lists them: cumulative buckets, sum and count per label set. */
export interface HistogramValue {
  metricName?: string;
  labels: Partial<Record<string, string | number>>;
  value: number;
}

/** Requests since the process began, by the upper bounds of their duration in seconds. */
export interface Totals {
  count: number;
  errors: number;
  /** Seconds in all. */
  sum: number;
  /** Cumulative: how many took at most so long. */
  buckets: ReadonlyMap<number, number>;
}

export interface Figures {
  reqCount: number;
  errCount: number;
  /** Mean and percentiles in ms; 0 without requests. */
  latency: number;
  p50Latency: number;
  p95Latency: number;
  p99Latency: number;
  /** Percent. */
  errorRate: number;
}

type Labels = HistogramValue['labels'];

/** Adds up what `counts` admits over all label sets. */
export function totals(
  values: readonly HistogramValue[],
  counts: (labels: Labels) => boolean,
  failed: (labels: Labels) => boolean,
): Totals {
  const buckets = new Map<number, number>();
  const result = { count: 0, errors: 0, sum: 0 };
  for (const { metricName, labels, value } of values) {
    if (!counts(labels)) continue;
    if (metricName?.endsWith('_bucket')) {
      const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
      buckets.set(bound, (buckets.get(bound) ?? 0) + value);
    } else if (metricName?.endsWith('_sum')) result.sum += value;
    else if (metricName?.endsWith('_count')) {
      result.count += value;
      if (failed(labels)) result.errors += value;
    }
  }
  return { ...result, buckets };
}

export const nothing: Totals = { count: 0, errors: 0, sum: 0, buckets: new Map() };

export const plus = (a: Totals, b: Totals): Totals => combine(a, b, 1);

/** What happened between two readings. */
export function between(before: Totals, after: Totals): Figures {
  const { count, errors, sum, buckets } = combine(after, before, -1);
  const percentile = (share: number) => round(quantile(share, count, buckets) * 1000);
  return {
    reqCount: count,
    errCount: errors,
    latency: count === 0 ? 0 : round((sum / count) * 1000),
    p50Latency: percentile(0.5),
    p95Latency: percentile(0.95),
    p99Latency: percentile(0.99),
    errorRate: count === 0 ? 0 : round((errors / count) * 100),
  };
}

/** Linear within the bucket, as Prometheus' histogram_quantile; beyond the last bound it is that bound. In seconds. */
function quantile(share: number, count: number, buckets: ReadonlyMap<number, number>): number {
  if (count === 0) return 0;
  const rank = share * count;
  let [lower, below] = [0, 0];
  for (const [bound, atMost] of [...buckets].toSorted(([a], [b]) => a - b)) {
    if (atMost >= rank) {
      if (bound === Infinity) return lower;
      return lower + ((bound - lower) * (rank - below)) / (atMost - below || 1);
    }
    [lower, below] = [bound, atMost];
  }
  return lower;
}

function combine(a: Totals, b: Totals, sign: 1 | -1): Totals {
  const buckets = new Map(a.buckets);
  for (const [bound, value] of b.buckets) buckets.set(bound, (buckets.get(bound) ?? 0) + sign * value);
  return { count: a.count + sign * b.count, errors: a.errors + sign * b.errors, sum: a.sum + sign * b.sum, buckets };
}

const round = (value: number): number => Math.round(value * 100) / 100;
