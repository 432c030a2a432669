import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import { line, refuse } from '../../../platform/http/text.js';

const instant = z.iso.datetime({ offset: true });

/** What a load test found. `summary` has its parameters and figures by name: p50, p95, p99, errorRate and whatever it measured. */
export const loadReportInput = z
  .strictObject({
    name: line(1, 120),
    scenario: line(1, 120),
    version: line(1, 64),
    startedAt: instant,
    finishedAt: instant,
    summary: z.record(z.string().min(1).max(64), z.json()),
  })
  .superRefine(({ startedAt, finishedAt }, context) => {
    if (Date.parse(finishedAt) < Date.parse(startedAt)) refuse(context, 'out_of_order', 'It ends before it starts');
  });
export type LoadReportInput = z.output<typeof loadReportInput>;

export const loadReportQuery = pageQuery.extend({ scenario: z.string().max(120).optional() });
export type LoadReportQuery = z.output<typeof loadReportQuery>;
