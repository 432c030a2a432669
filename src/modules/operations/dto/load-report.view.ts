import { z } from 'zod';
import type { LoadReportRow } from '../load-reports.repository.js';

export const loadReportView = z.object({
  id: z.uuid(),
  name: z.string(),
  scenario: z.string(),
  version: z.string(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  summary: z.record(z.string(), z.json()),
  createdBy: z.uuid(),
});
export type LoadReportView = z.output<typeof loadReportView>;

export const toLoadReportView = (row: LoadReportRow): LoadReportView => ({
  ...row,
  startedAt: row.startedAt.toISOString(),
  finishedAt: row.finishedAt.toISOString(),
  summary: row.summary as LoadReportView['summary'],
});
