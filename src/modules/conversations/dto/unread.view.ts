import { z } from 'zod';

const number = z.number().int().nonnegative();

/** Why a conversation shows the number it shows. */
export const unreadExplanation = z.object({
  unread: number,
  capped: z.boolean(),
  ord: number,
  readOrd: number,
  readSeq: number,
  lastDeleteSeq: number,
  /** The difference of two counters, or a count of rows. */
  method: z.enum(['watermark', 'count']),
  mentions: number,
  rev: number,
});
export type UnreadExplanation = z.output<typeof unreadExplanation>;

/** Not muted and not archived conversations together. */
export const unreadTotals = z.object({
  conversations: number,
  messages: number,
  mentions: number,
  notifications: number,
});
export type UnreadTotals = z.output<typeof unreadTotals>;
