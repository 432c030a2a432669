import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';

export const listDeadLetters = pageQuery.extend({
  queue: z
    .string()
    .regex(/^[a-z][a-z0-9._-]{0,63}$/, 'Name of a queue')
    .optional(),
});
export type ListDeadLetters = z.output<typeof listDeadLetters>;
