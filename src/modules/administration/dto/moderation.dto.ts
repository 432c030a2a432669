import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import { line } from '../../../platform/http/text.js';
import { wholeNumber } from '../../../platform/http/whole-number.js';

export const conversationQuery = pageQuery.extend({
  query: line(1, 120).optional(),
  type: z.enum(['direct', 'group', 'channel']).optional(),
});
export type ConversationQuery = z.output<typeof conversationQuery>;

export const quarantine = z.strictObject({ reason: line(1, 500) });
export type Quarantine = z.output<typeof quarantine>;

/** The body may be left out. */
export const verification = z
  .strictObject({
    /** At most so many conversations. */
    sample: z.number().int().min(1).max(1_000_000).optional(),
  })
  .optional();
export type Verification = z.output<typeof verification>;

export const seqParam = wholeNumber(1);
