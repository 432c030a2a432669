import { z } from 'zod';
import { line } from '../../../platform/http/text.js';
import { seq } from './send-message.dto.js';

const title = line(1, 120);

export const createThread = z.strictObject({ rootSeq: seq, title: title.optional() });
export type CreateThread = z.output<typeof createThread>;

export const updateThread = z
  .strictObject({ title: title.nullable().optional(), locked: z.boolean().optional() })
  .refine(({ title: name, locked }) => name !== undefined || locked !== undefined, {
    message: 'title or locked is needed',
  });
export type UpdateThread = z.output<typeof updateThread>;

export const readThread = z.strictObject({ seq: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER) });
export type ReadThread = z.output<typeof readThread>;

export const threadMemberView = z.object({ userId: z.uuid(), readSeq: z.number().int(), following: z.boolean() });
export const threadReadView = z.object({ readSeq: z.number().int(), unread: z.number().int() });
