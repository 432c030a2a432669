import { z } from 'zod';

const id = z.uuid();

export const scheduledState = z.enum(['pending', 'sent', 'failed', 'cancelled']);

/** A message that is to be sent later. */
export const scheduledView = z.object({
  id,
  conversationId: id,
  clientId: id,
  sendAt: z.iso.datetime(),
  state: scheduledState,
  /** Why it was not sent. */
  failureCode: z.string().nullable(),
  messageId: id.nullable(),
  kind: z.enum(['text', 'custom']),
  body: z.string().nullable(),
  meta: z.record(z.string(), z.unknown()).nullable(),
  replyToSeq: z.number().int().nullable(),
  threadId: id.nullable(),
  attachmentIds: z.array(id),
  mentions: z.array(id),
  mentionAll: z.boolean(),
  silent: z.boolean(),
  forwardOf: z.object({ conversationId: id, seq: z.number().int() }).nullable(),
  rev: z.number().int(),
});
export type ScheduledView = z.output<typeof scheduledView>;
