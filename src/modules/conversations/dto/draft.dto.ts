import { z } from 'zod';
import { uuid } from '../../../platform/http/text.js';

/** NUL cannot be stored, and half a surrogate pair is no text. Everything else is the writer's business until it is sent. */
const body = z
  .string()
  .max(100_000)
  .refine((text) => text.isWellFormed() && !text.includes('\0'), { message: 'Not text' });

export const putDraft = z.strictObject({
  body,
  replyToSeq: z.number().int().min(1).max(Number.MAX_SAFE_INTEGER).nullable().default(null),
  attachmentIds: z.array(uuid).max(100).default([]),
});
export type PutDraft = z.output<typeof putDraft>;

export const draftQuery = z.strictObject({ threadId: uuid.optional() });
export type DraftQuery = z.output<typeof draftQuery>;
