import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import { line } from '../../../platform/http/text.js';

export const conversationQuery = pageQuery.extend({
  query: line(1, 120).optional(),
  type: z.enum(['direct', 'group', 'channel']).optional(),
});
export type ConversationQuery = z.output<typeof conversationQuery>;

export const seqParam = z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER);
