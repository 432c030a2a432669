import { z } from 'zod';
import type { UserRow } from '../users.repository.js';

const id = z.uuid();
const time = z.iso.datetime();

/** A user as another user sees them. */
export const userView = z.object({
  id,
  handle: z.string().nullable(),
  displayName: z.string(),
  bio: z.string().nullable(),
  avatarMediaId: id.nullable(),
  isOnline: z.boolean(),
  lastSeen: time.nullable(),
  state: z.enum(['active', 'suspended', 'deleted']),
  isContact: z.boolean(),
  isBlocked: z.boolean(),
});
export type UserView = z.output<typeof userView>;

/** A user as they see themselves. */
export const selfView = userView.extend({
  email: z.string().nullable(),
  phone: z.string().nullable(),
  emailVerified: z.boolean(),
  phoneVerified: z.boolean(),
  locale: z.string(),
  timeZone: z.string(),
  roles: z.array(z.string()),
  permissions: z.array(z.string()),
  createdAt: time,
  updatedAt: time,
  rev: z.number().int(),
});
export type SelfView = z.output<typeof selfView>;

/** What the viewer may know of a user's presence. */
export interface Presence {
  isOnline: boolean;
  lastSeen: Date | null;
}
export const hiddenPresence: Presence = { isOnline: false, lastSeen: null };

export interface ViewerRelation {
  isContact: boolean;
  isBlocked: boolean;
}

/** A deleted account keeps its id and state; everything about the person is blank from the moment of deletion. */
export function toUserView(row: UserRow, relation: ViewerRelation, presence = hiddenPresence): UserView {
  const gone = row.state === 'deleted';
  return {
    id: row.id,
    handle: gone ? null : row.handle,
    displayName: gone ? '' : row.displayName,
    bio: gone ? null : row.bio,
    avatarMediaId: gone ? null : row.avatarMediaId,
    isOnline: presence.isOnline,
    lastSeen: presence.lastSeen?.toISOString() ?? null,
    state: row.state,
    isContact: relation.isContact,
    isBlocked: relation.isBlocked,
  };
}

export function toSelfView(
  row: UserRow,
  grants: { roles: readonly string[]; permissions: Iterable<string> },
  presence = hiddenPresence,
): SelfView {
  return {
    ...toUserView(row, { isContact: false, isBlocked: false }, presence),
    email: row.email,
    phone: row.phone,
    emailVerified: row.emailVerifiedAt !== null,
    phoneVerified: row.phoneVerifiedAt !== null,
    locale: row.locale,
    timeZone: row.timeZone,
    roles: [...grants.roles],
    permissions: [...grants.permissions],
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    rev: row.rev,
  };
}
