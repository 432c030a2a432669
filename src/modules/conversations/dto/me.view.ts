import { z } from 'zod';
import type { OwnSide } from '../members.repository.js';

const number = z.number().int().nonnegative();
const time = z.iso.datetime();

export const memberRole = z.enum(['owner', 'admin', 'member']);
export const memberState = z.enum(['active', 'left', 'removed']);
export const notifyLevel = z.enum(['default', 'all', 'mentions', 'none']);

/** A conversation from its reader's side. */
export const meView = z.object({
  role: memberRole,
  state: memberState,
  visibleFromSeq: number,
  readSeq: number,
  deliveredSeq: number,
  unread: number,
  /** True when `unread` is where counting stopped. */
  unreadCapped: z.boolean(),
  mentions: number,
  notifyLevel,
  mutedUntil: time.nullable(),
  pinnedAt: time.nullable(),
  archivedAt: time.nullable(),
  markedUnread: z.boolean(),
});
export type MeView = z.output<typeof meView>;

/** `v` of a `membership` change in the user's feed. */
const membershipView = meView.extend({ conversationId: z.uuid(), deleted: z.literal(true).optional() });
export type MembershipView = z.output<typeof membershipView>;

/** What is derived at reading and stored nowhere. */
export interface UnreadCount {
  unread: number;
  unreadCapped: boolean;
  mentions: number;
}

export const toMeView = (row: OwnSide, count: UnreadCount): MeView => ({
  role: row.role,
  state: row.state,
  visibleFromSeq: row.visibleFromSeq,
  readSeq: row.readSeq,
  deliveredSeq: row.deliveredSeq,
  unread: count.unread,
  unreadCapped: count.unreadCapped,
  mentions: count.mentions,
  notifyLevel: row.notifyLevel,
  mutedUntil: row.mutedUntil?.toISOString() ?? null,
  pinnedAt: row.pinnedAt?.toISOString() ?? null,
  archivedAt: row.archivedAt?.toISOString() ?? null,
  markedUnread: row.markedUnread,
});
