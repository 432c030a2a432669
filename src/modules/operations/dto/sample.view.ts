import { z } from 'zod';

/** What one replica did within one interval. Latencies and loop delay in ms, rates and usage in percent, the rest counted. */
export const sampleView = z.object({
  id: z.uuid(),
  replicaId: z.uuid(),
  at: z.iso.datetime(),
  reqCount: z.int(),
  errCount: z.int(),
  latency: z.number(),
  p50Latency: z.number(),
  p95Latency: z.number(),
  p99Latency: z.number(),
  errorRate: z.number(),
  cacheHitRate: z.number(),
  slowQueries: z.int(),
  cpuUsage: z.number(),
  memoryUsage: z.number(),
  wsConnections: z.int(),
  outboxDepth: z.int(),
  loopDelay: z.number(),
});
export type SampleView = z.output<typeof sampleView>;

const pair = (name: string) => ({ [`${name}Avg`]: z.number(), [`${name}Max`]: z.number() });
const averaged = [
  'latency',
  'p50Latency',
  'p95Latency',
  'p99Latency',
  'errorRate',
  'cacheHitRate',
  'cpuUsage',
  'memoryUsage',
  'wsConnections',
  'outboxDepth',
  'loopDelay',
];

/** One day (UTC) of one replica. */
export const dailyView = z.object({
  day: z.iso.date(),
  replicaId: z.uuid(),
  samples: z.int(),
  reqCountSum: z.int(),
  errCountSum: z.int(),
  slowQueriesSum: z.int(),
  ...Object.assign({}, ...averaged.map(pair)),
});

/** The share of requests that were answered without an error of the server (5xx); what never arrived is not known here. */
export const availabilityView = z.object({
  /** In percent. */
  target: z.number(),
  windows: z.array(
    z.object({
      days: z.int(),
      measuredDays: z.int(),
      requests: z.int(),
      errors: z.int(),
      /** In percent, rounded down so that it never looks better than it was; null without a request. */
      availability: z.number().nullable(),
    }),
  ),
});
export type AvailabilityView = z.output<typeof availabilityView>;
