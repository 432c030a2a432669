import { z } from 'zod';
import type { MemberRow } from '../members.repository.js';
import { memberRole, memberState } from './me.view.js';

const id = z.uuid();
const time = z.iso.datetime();

/** A member as every member sees them: `v` of a `member` change. */
export const memberView = z.object({
  conversationId: id,
  userId: id,
  role: memberRole,
  state: memberState,
  joinedAt: time,
  leftAt: time.nullable(),
  invitedBy: id.nullable(),
  rev: z.number().int().nonnegative(),
});
export type MemberView = z.output<typeof memberView>;

export const toMemberView = (row: MemberRow): MemberView => ({
  conversationId: row.conversationId,
  userId: row.userId,
  role: row.role,
  state: row.state,
  joinedAt: row.joinedAt.toISOString(),
  leftAt: row.leftAt?.toISOString() ?? null,
  invitedBy: row.invitedBy,
  rev: row.rev,
});
