import { judge, valuesOf } from './alerts.rules.js';
import type { SampleRow } from './samples.repository.js';

const limits = { warning: 100, critical: 200 };
const cpu = (values: (number | null)[], present: 'warning' | 'critical' | null = null) =>
  judge('cpuUsage', values, limits, present);

it.each([
  ['nothing known', [], null, null],
  ['one value is not enough', [250], null, null],
  ['a spike', [250, 50], null, null],
  ['reached exactly, twice', [100, 100], null, 'warning'],
  ['both critical', [200, 200], null, 'critical'],
  ['one critical, one warning', [250, 150], null, 'warning'],
  ['raised', [250, 250], 'warning', 'critical'],
  ['hovering below keeps it', [95, 95, 95], 'warning', 'warning'],
  ['two recovered are not enough', [50, 50, 150], 'warning', 'warning'],
  ['recovered', [89, 89, 89], 'warning', null],
  ['critical falls to warning', [170, 170, 170], 'critical', 'warning'],
  ['critical hovering stays', [190, 190, 190], 'critical', 'critical'],
  ['critical to nothing', [10, 10, 10], 'critical', null],
  ['no traffic opens nothing', [null, null], null, null],
  ['no traffic ends an alert', [null, null, null], 'critical', null],
] as const)('%s', (_, values, present, expected) => {
  expect(cpu([...values], present)).toBe(expected);
});

it('is worse when lower for the cache hit rate', () => {
  const threshold = { warning: 70, critical: 50 };
  expect(judge('cacheHitRate', [60, 70], threshold, null)).toBe('warning');
  expect(judge('cacheHitRate', [50, 40], threshold, null)).toBe('critical');
  expect(judge('cacheHitRate', [76, 76, 76], threshold, 'warning')).toBe('warning');
  expect(judge('cacheHitRate', [78, 78, 78], threshold, 'warning')).toBeNull();
});

const sample = (minutesAgo: number, facts: Partial<SampleRow>) =>
  ({ at: new Date(1e12 - minutesAgo * 60_000), reqCount: 0, slowQueries: 0, errorRate: 0, ...facts }) as SampleRow;

it('counts slow queries over the hour before each sample', () => {
  const samples = [0, 20, 50, 70].map((minutes) => sample(minutes, { slowQueries: 10 }));
  expect(valuesOf('slowQueries', samples)).toEqual([30, 30, 20, 10]);
});

it('takes no rate from a handful of requests', () => {
  const samples = [sample(0, { reqCount: 9, errorRate: 50 }), sample(1, { reqCount: 10, errorRate: 50 })];
  expect(valuesOf('errorRate', samples)).toEqual([null, 50]);
});
