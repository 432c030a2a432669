import { z } from 'zod';
import { uuid } from '../../../platform/http/text.js';
import { WATCH_MAX } from '../../../platform/realtime/protocol.js';

export const presenceQuery = z.strictObject({
  ids: z
    .union([z.string(), z.array(z.string())])
    .transform((ids) => [ids].flat().flatMap((part) => part.split(',')))
    .pipe(z.array(uuid).min(1).max(WATCH_MAX)),
});
export type PresenceQuery = z.output<typeof presenceQuery>;

export const presenceMode = z.strictObject({ mode: z.enum(['auto', 'dnd', 'invisible']) });
export type SetPresenceMode = z.output<typeof presenceMode>;

export const activityCommand = z.strictObject({ state: z.enum(['active', 'idle', 'dnd']) });
export type ActivityCommand = z.output<typeof activityCommand>;

/** The whole set: what is not in it is watched no longer. */
export const watchCommand = z.strictObject({ userIds: z.array(uuid).max(WATCH_MAX) });
export type WatchCommand = z.output<typeof watchCommand>;
