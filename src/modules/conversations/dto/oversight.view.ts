import { z } from 'zod';
import type { HeadRow, WatermarkRow } from '../oversight.repository.js';
import { conversationView, type ConversationView } from './conversation.view.js';
import { memberRole, memberState } from './me.view.js';

const number = z.number().int().nonnegative();
const id = z.uuid();

/** A conversation as moderators find it: nothing of what is written there. */
export const overseenConversation = conversationView.extend({ memberCount: number });
export type OverseenConversation = z.output<typeof overseenConversation>;

const watermark = z.object({
  userId: id,
  role: memberRole,
  state: memberState,
  rev: number,
  visibleFromSeq: number,
  deliveredSeq: number,
  readSeq: number,
  readOrd: number,
  joinedAt: z.iso.datetime(),
  leftAt: z.iso.datetime().nullable(),
});

/** Counters, members with their watermarks, and which rows changed last. */
export const inspectedConversation = z.object({
  conversation: conversationView,
  head: z.object({ seq: number, ord: number, rev: number, lastDeleteSeq: number }),
  memberCount: number,
  /** Active and former ones, at most 1,000. */
  members: z.array(watermark),
  recent: z.array(
    z.object({ rev: number, t: z.enum(['message', 'member', 'conversation', 'thread']), seq: number.nullable() }),
  ),
});
export type InspectedConversation = z.output<typeof inspectedConversation>;

type Recent = InspectedConversation['recent'];

export const toInspected = (
  conversation: ConversationView,
  head: HeadRow,
  rows: readonly WatermarkRow[],
  memberCount: number,
  recent: Recent,
): InspectedConversation => ({
  conversation,
  head: { seq: head.seq, ord: head.ord, rev: head.rev, lastDeleteSeq: head.lastDeleteSeq },
  memberCount,
  members: rows.map((row) => ({
    ...row,
    joinedAt: row.joinedAt.toISOString(),
    leftAt: row.leftAt?.toISOString() ?? null,
  })),
  recent,
});
