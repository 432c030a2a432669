import { z } from 'zod';
import type { ActivityRow } from '../activity.repository.js';

export const activityView = z.object({
  id: z.uuid(),
  kind: z.string(),
  sessionId: z.uuid().nullable(),
  at: z.iso.datetime(),
});
export type ActivityView = z.output<typeof activityView>;

export const toActivityView = ({ id, kind, sessionId, at }: ActivityRow): ActivityView => ({
  id,
  kind,
  sessionId,
  at: at.toISOString(),
});
