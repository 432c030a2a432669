import { z } from 'zod';
import { userIds } from './conversation.dto.js';
import { memberRole, notifyLevel } from './me.view.js';
import { memberView } from './member.view.js';
import { pageOf } from '../../../platform/http/cursor.js';

export const addMembers = z.strictObject({ userIds: userIds.min(1) });
export type AddMembers = z.output<typeof addMembers>;

export const addMembersAnswer = z.object({
  added: z.array(memberView),
  already: z.array(z.uuid()),
  refused: z.array(z.object({ userId: z.uuid(), code: z.enum(['not_found', 'blocked', 'privacy_restricted']) })),
});
export type AddMembersAnswer = z.output<typeof addMembersAnswer>;

export const changeRole = z.strictObject({ role: memberRole });
export type ChangeRole = z.output<typeof changeRole>;

export const membersPage = pageOf(memberView).extend({ count: z.number().int() });
export type MembersPage = z.output<typeof membersPage>;

/** What a user sets for themselves; absent members stay. */
export const updateMe = z
  .strictObject({
    notifyLevel: notifyLevel.optional(),
    mutedUntil: z.iso
      .datetime({ offset: true })
      .transform((time) => new Date(time))
      .nullable()
      .optional(),
    pinned: z.boolean().optional(),
    archived: z.boolean().optional(),
    markedUnread: z.boolean().optional(),
  })
  .refine((input) => Object.keys(input).length > 0, { message: 'Nothing to change' });
export type UpdateMe = z.output<typeof updateMe>;
