import type { MetricName, Thresholds } from './dto/system-health.dto.js';
import type { SampleRow } from './samples.repository.js';

export type Level = 'warning' | 'critical';

/** Samples in a row that open or raise an alert, and that end or lower it. */
const TO_RISE = 2;
const TO_FALL = 3;
/** Recovered is a tenth better than the threshold: a value that swings around it keeps one alert. */
const MARGIN = 0.1;
/** Rates and latencies of fewer requests are chance. */
const MEANINGFUL_REQUESTS = 10;
const HOUR_MS = 3_600_000;

const perRequest: readonly MetricName[] = ['latency', 'p95Latency', 'errorRate'];

/** The last values of a metric, newest first; null where a sample says nothing. */
export function valuesOf(metric: MetricName, samples: readonly SampleRow[]): (number | null)[] {
  if (metric === 'slowQueries') return samples.map((_, i) => withinAnHour(samples.slice(i)));
  return samples.map((sample) =>
    perRequest.includes(metric) && sample.reqCount < MEANINGFUL_REQUESTS ? null : sample[metric],
  );
}

/** The threshold is one per hour, the samples are of seconds. */
function withinAnHour(samples: readonly SampleRow[]): number {
  const newest = samples[0]?.at.getTime() ?? 0;
  return samples.filter(({ at }) => newest - at.getTime() < HOUR_MS).reduce((sum, s) => sum + s.slowQueries, 0);
}

/**
 * Level of the alert of a metric, null for none, given the last values (newest first), its threshold and the level it
 * has. It rises when two values in a row reach a threshold, falls when three in a row are a tenth better than it, and
 * otherwise stays.
 */
export function judge(
  metric: MetricName,
  values: readonly (number | null)[],
  threshold: Thresholds[MetricName],
  present: Level | null,
): Level | null {
  const lowerIsWorse = metric === 'cacheHitRate';
  const reached = (limit: number) => (value: number | null) =>
    value !== null && (lowerIsWorse ? value <= limit : value >= limit);
  const recovered = (limit: number) => (value: number | null) =>
    value === null || (lowerIsWorse ? value > limit * (1 + MARGIN) : value < limit * (1 - MARGIN));
  const [newest, fallen] = [values.slice(0, TO_RISE), values.slice(0, TO_FALL)];
  const rises = (limit: number) => newest.length === TO_RISE && newest.every(reached(limit));
  const falls = (limit: number) => fallen.length === TO_FALL && fallen.every(recovered(limit));
  if (rises(threshold.critical)) return 'critical';
  if (present === 'critical' && !falls(threshold.critical)) return 'critical';
  if (rises(threshold.warning)) return 'warning';
  return present !== null && !falls(threshold.warning) ? 'warning' : null;
}
