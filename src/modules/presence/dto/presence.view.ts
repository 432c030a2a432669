import { z } from 'zod';
import type { Shown } from '../presence.rules.js';

export const presenceView = z.object({
  userId: z.uuid(),
  state: z.enum(['active', 'idle', 'dnd', 'offline']),
  isOnline: z.boolean(),
  lastSeen: z.iso.datetime().nullable(),
  /** Of two states of a user the one with the higher version is the later. */
  ver: z.number().int(),
});
export type PresenceView = z.output<typeof presenceView>;

export const presenceListView = z.object({ items: z.array(presenceView) });
export const roomPresenceView = z.object({ online: z.number().int(), total: z.number().int() });
export type RoomPresenceView = z.output<typeof roomPresenceView>;

/** `[userId, state, lastSeen, ver]`, as sockets get it. */
export type PresenceTuple = [userId: string, state: Shown['state'], lastSeen: string | null, ver: number];

export const toPresenceView = (userId: string, { state, lastSeen, ver }: Shown): PresenceView => ({
  userId,
  state,
  isOnline: state !== 'offline',
  lastSeen: lastSeen?.toISOString() ?? null,
  ver,
});

export const toPresenceTuple = (userId: string, { state, lastSeen, ver }: Shown): PresenceTuple => [
  userId,
  state,
  lastSeen?.toISOString() ?? null,
  ver,
];
