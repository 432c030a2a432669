import { z } from 'zod';

const number = z.number().int().nonnegative();

/** A thread as every member sees it: `v` of a `thread` change. */
export const threadView = z.object({
  id: z.uuid(),
  conversationId: z.uuid(),
  rootSeq: number,
  title: z.string().nullable(),
  locked: z.boolean(),
  /** Live replies. */
  replyCount: number,
  lastReplySeq: number.nullable(),
  lastReplyAt: z.iso.datetime().nullable(),
  rev: number,
});
export type ThreadView = z.output<typeof threadView>;

export const threadMeView = z.object({ following: z.boolean(), readSeq: number, unread: number });
export type ThreadMeView = z.output<typeof threadMeView>;

/** What REST adds for the reader. */
export const threadDetailView = threadView.extend({ me: threadMeView });
export type ThreadDetailView = z.output<typeof threadDetailView>;

export interface ThreadRow {
  id: string;
  conversationId: string;
  rootSeq: number;
  rev: number;
  title: string | null;
  lockedAt: Date | string | null;
  replyCount: number;
  lastReplySeq: number | null;
  /** Text where it came inside JSON. */
  lastReplyAt: Date | string | null;
  createdBy: string;
}

export const toThreadView = (row: ThreadRow): ThreadView => ({
  id: row.id,
  conversationId: row.conversationId,
  rootSeq: row.rootSeq,
  title: row.title,
  locked: row.lockedAt !== null,
  replyCount: row.replyCount,
  lastReplySeq: row.lastReplySeq,
  lastReplyAt: row.lastReplyAt === null ? null : new Date(row.lastReplyAt).toISOString(),
  rev: row.rev,
});
