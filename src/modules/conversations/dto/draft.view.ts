import { z } from 'zod';
import type { DraftRow } from '../drafts.repository.js';

const id = z.uuid();
const number = z.number().int().nonnegative();

export const draftView = z.object({
  conversationId: id,
  threadId: id.nullable(),
  body: z.string(),
  replyToSeq: number.nullable(),
  attachmentIds: z.array(id),
  updatedAt: z.iso.datetime(),
  rev: number,
});
export type DraftView = z.output<typeof draftView>;

export const toDraftView = (row: DraftRow): DraftView => ({
  conversationId: row.conversationId,
  threadId: row.threadId,
  body: row.body,
  replyToSeq: row.replyToSeq,
  attachmentIds: row.attachmentIds,
  updatedAt: row.updatedAt.toISOString(),
  rev: row.rev,
});

/** `v` of a `draft` change in the user's feed. */
export const toDraftChange = (row: DraftRow) => ({ ...toDraftView(row), ...(row.deletedAt ? { deleted: true } : {}) });
