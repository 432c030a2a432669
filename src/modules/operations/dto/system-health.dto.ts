import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import { line, refuse, uuid } from '../../../platform/http/text.js';

const level = z.number().min(0).max(1_000_000);
/** Both levels; the critical one is the worse of the two. */
const threshold = (worse: 'higher' | 'lower') =>
  z.strictObject({ warning: level, critical: level }).superRefine(({ warning, critical }, context) => {
    const ordered = worse === 'higher' ? critical >= warning : critical <= warning;
    if (!ordered)
      refuse(context, 'out_of_order', `critical must not be ${worse === 'higher' ? 'below' : 'above'} warning`);
  });

/** latency and p95Latency in ms; rates and usage in percent; slowQueries per hour. */
export const thresholds = z.strictObject({
  latency: threshold('higher'),
  p95Latency: threshold('higher'),
  errorRate: threshold('higher'),
  cacheHitRate: threshold('lower'),
  slowQueries: threshold('higher'),
  cpuUsage: threshold('higher'),
  memoryUsage: threshold('higher'),
});
export type Thresholds = z.output<typeof thresholds>;
export type MetricName = keyof Thresholds;

/** The whole of the settings: what PUT takes. */
export const settingsInput = z.strictObject({
  thresholds,
  backupLocation: line(1, 255),
  /** ms between samples */
  refreshInterval: z.int().min(1000).max(3_600_000),
  metricsRetentionDays: z.int().min(1).max(3650),
  aggregateRetentionDays: z.int().min(1).max(3650),
});
export type SettingsInput = z.output<typeof settingsInput>;

/** What PATCH takes: the members that change; of the thresholds those that change, each whole. Judged as a whole afterwards. */
export const settingsPatch = z.strictObject({ ...settingsInput.shape, thresholds: thresholds.partial() }).partial();
export type SettingsPatch = z.output<typeof settingsPatch>;

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const period = { from: instant.optional(), to: instant.optional() };

export const sampleQuery = pageQuery.extend({ ...period, replica: uuid.optional() });
export type SampleQuery = z.output<typeof sampleQuery>;

/** A day, or an instant in it (UTC). */
const day = z.union([z.iso.date(), instant.transform((at) => at.toISOString().slice(0, 10))]);

export const dailyQuery = pageQuery.extend({
  from: day.optional(),
  to: day.optional(),
  replica: uuid.optional(),
});
export type DailyQuery = z.output<typeof dailyQuery>;

export const alertQuery = pageQuery.extend({
  ...period,
  replica: uuid.optional(),
  state: z.enum(['open', 'resolved']).optional(),
});
export type AlertQuery = z.output<typeof alertQuery>;

export const violationQuery = pageQuery.extend({ ...period, rule: z.string().max(64).optional() });
export type ViolationQuery = z.output<typeof violationQuery>;
