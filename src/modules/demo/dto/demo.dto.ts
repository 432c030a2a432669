import { z } from 'zod';
import { uuid } from '../../../platform/http/text.js';

/** Without an id a new world is made. */
export const enterWorld = z.strictObject({
  id: z
    .string()
    .regex(/^[0-9a-f]{10}$/)
    .optional(),
  deviceId: uuid,
});
export type EnterWorld = z.output<typeof enterWorld>;

const A_YEAR_S = 366 * 86_400;

/** How old messages are to look, in s, by seq. */
export const ageHistory = z.strictObject({
  conversationId: uuid,
  ages: z.array(z.tuple([z.int().min(1), z.int().min(0).max(A_YEAR_S)])).max(500),
});
export type AgeHistory = z.output<typeof ageHistory>;

export const chaos = z.strictObject({ loseHints: z.boolean() });
export type Chaos = z.output<typeof chaos>;

export const restart = z.strictObject({ signal: z.enum(['SIGKILL', 'SIGTERM']) });
export type Restart = z.output<typeof restart>;
