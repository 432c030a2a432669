import { z } from 'zod';

const time = z.iso.datetime().nullable();

export const jobView = z.object({
  name: z.string(),
  /** The replica that runs it now. */
  holder: z.uuid().nullable(),
  lastRunAt: time,
  /** Of an elected job what its last run answered, on whatever replica; of others `ok` or `failed`, on this one. */
  lastResult: z.union([z.string(), z.record(z.string(), z.unknown())]).nullable(),
  nextRunAt: time,
});
export type JobView = z.output<typeof jobView>;
export const jobListView = z.object({ items: z.array(jobView) });
export const jobRunView = z.object({ runId: z.uuid() });
