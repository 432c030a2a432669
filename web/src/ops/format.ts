import type { Level, MetricName, Threshold } from './types.js';

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const moment = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

export const count = (value: number): string => number.format(value);
export const timeOf = (at: string | number): string => clock.format(new Date(at));
export const momentOf = (at: string): string => moment.format(new Date(at));

export const milliseconds = (ms: number): string => (ms < 1000 ? `${count(ms)} ms` : seconds(ms / 1000));

/** The two largest units: 3 d 4 h. */
export function seconds(total: number): string {
  if (total < 60) return `${count(total)} s`;
  const parts = [
    [Math.floor(total / 86_400), 'd'],
    [Math.floor(total / 3600) % 24, 'h'],
    [Math.floor(total / 60) % 60, 'min'],
    [Math.floor(total % 60), 's'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  return parts
    .slice(first, first + 2)
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}

export function bytes(size: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, size)) / 3));
  return `${count(size / 1000 ** step)} ${units[step]}`;
}

/** The end of an id is what differs. */
export const shortId = (id: string): string => id.slice(-6);

interface Metric {
  label: string;
  unit: 'ms' | '%' | '';
  lowerIsWorse?: true;
}
export const metrics: Record<MetricName, Metric> = {
  latency: { label: 'Latency', unit: 'ms' },
  p95Latency: { label: 'Latency p95', unit: 'ms' },
  errorRate: { label: 'Errors', unit: '%' },
  cacheHitRate: { label: 'Cache hits', unit: '%', lowerIsWorse: true },
  slowQueries: { label: 'Slow queries per hour', unit: '' },
  cpuUsage: { label: 'CPU', unit: '%' },
  memoryUsage: { label: 'Memory', unit: '%' },
};

export function levelOf(metric: MetricName, value: number, { warning, critical }: Threshold): Level {
  const reached = (limit: number) => (metrics[metric].lowerIsWorse ? value <= limit : value >= limit);
  return reached(critical) ? 'bad' : reached(warning) ? 'warn' : 'ok';
}

export const words: Record<Level, string> = { ok: 'fine', warn: 'warning', bad: 'critical', unknown: 'not known' };

export function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

/** A text field of a form; files it has none. */
export function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
