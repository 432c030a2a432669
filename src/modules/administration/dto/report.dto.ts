import { z } from 'zod';
import { pageQuery } from '../../../platform/http/cursor.js';
import { paragraph, uuid } from '../../../platform/http/text.js';

/** About a message or about a user, not both. */
export const createReport = z
  .strictObject({
    messageId: uuid.optional(),
    userId: uuid.optional(),
    reason: z.enum(['spam', 'abuse', 'illegal', 'other']),
    note: paragraph(0, 1000).optional(),
  })
  .refine(({ messageId, userId }) => (messageId === undefined) !== (userId === undefined), {
    message: 'Either messageId or userId is needed',
    params: { code: 'message_or_user' },
  });
export type CreateReport = z.output<typeof createReport>;

export const reportQuery = pageQuery.extend({ state: z.enum(['open', 'resolved', 'dismissed']).optional() });
export type ReportQuery = z.output<typeof reportQuery>;

export const resolveReport = z.strictObject({
  state: z.enum(['resolved', 'dismissed']),
  /** For the audit log. */
  note: paragraph(0, 1000).optional(),
});
export type ResolveReport = z.output<typeof resolveReport>;
