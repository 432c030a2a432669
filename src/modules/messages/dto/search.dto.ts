import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import { uuid } from '../../../platform/http/text.js';
import { messageView } from './message.view.js';

export const searchQuery = pageQuery.extend({
  q: z
    .string()
    .trim()
    .min(2)
    .max(200)
    .refine((text) => text.isWellFormed() && !text.includes('\0'), {
      message: 'Not valid text',
      params: { code: 'malformed_text' },
    }),
  conversationId: uuid.optional(),
  senderId: uuid.optional(),
  kind: z.enum(['text', 'custom', 'call']).optional(),
  from: z.iso.datetime({ offset: true }).optional(),
  to: z.iso.datetime({ offset: true }).optional(),
});
export type SearchQuery = z.output<typeof searchQuery>;

/** `highlight` is a part of the body as HTML: escaped, with what was found in `<mark>`. */
export const searchHitView = z.object({ message: messageView, highlight: z.string() });
export type SearchHitView = z.output<typeof searchHitView>;
