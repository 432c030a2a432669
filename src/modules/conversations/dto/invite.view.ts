import { z } from 'zod';
import type { InviteRow } from '../invites.repository.js';
import { conversationDetailView, conversationType } from './conversation.view.js';
import { memberRole } from './me.view.js';

const id = z.uuid();
const number = z.number().int().nonnegative();
const expiresAt = z.iso.datetime();

export const inviteView = z.object({
  id,
  role: memberRole,
  maxUses: number.nullable(),
  uses: number,
  expiresAt,
  createdBy: id,
});
export type InviteView = z.output<typeof inviteView>;

/** The one time code and link are shown: only a hash is kept. */
export const newInviteView = inviteView.extend({ code: z.string(), url: z.string() });
export type NewInviteView = z.output<typeof newInviteView>;

/** What somebody sees who holds a link. */
export const invitePreview = z.object({
  conversation: z.object({
    id,
    type: conversationType,
    title: z.string().nullable(),
    avatarMediaId: id.nullable(),
    memberCount: number,
  }),
  expiresAt,
});
export type InvitePreview = z.output<typeof invitePreview>;

/** The answer of joining, by link or by oneself. */
export const joinedView = z.object({ conversation: conversationDetailView, joined: z.boolean() });
export type JoinedView = z.output<typeof joinedView>;

export const toInviteView = (row: InviteRow): InviteView => ({
  id: row.id,
  role: row.role,
  maxUses: row.maxUses,
  uses: row.uses,
  expiresAt: row.expiresAt.toISOString(),
  createdBy: row.createdBy,
});
