import { z } from 'zod';

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'A time such as 22:00');
const audience = z.enum(['everyone', 'contacts']);

export const notificationPreferences = z.strictObject({
  push: z.boolean(),
  level: z.enum(['all', 'mentions', 'none']),
  /** Whether pushes show the text of a message. */
  preview: z.boolean(),
  badge: z.enum(['off', 'conversations', 'messages']),
  /** In the user's time zone; over midnight when `end` is before `start`. */
  quietHours: z.strictObject({ enabled: z.boolean(), start: clockTime, end: clockTime, allowMentions: z.boolean() }),
});

export const privacyPreferences = z.strictObject({
  presence: z.enum(['everyone', 'shared', 'nobody']),
  readReceipts: z.boolean(),
  discoverableBy: z.enum(['everyone', 'contacts', 'nobody']),
  whoCanMessage: audience,
  whoCanAdd: audience,
});

/** The whole of a user's preferences: what PUT takes and GET answers. */
export const preferences = z.strictObject({ notifications: notificationPreferences, privacy: privacyPreferences });
export type Preferences = z.output<typeof preferences>;

export const defaultPreferences: Preferences = {
  notifications: {
    push: true,
    level: 'all',
    preview: true,
    badge: 'conversations',
    quietHours: { enabled: false, start: '22:00', end: '07:00', allowMentions: true },
  },
  privacy: {
    presence: 'shared',
    readReceipts: true,
    discoverableBy: 'everyone',
    whoCanMessage: 'everyone',
    whoCanAdd: 'everyone',
  },
};

/** A stored value may be older than a member; absent ones have their defaults. */
export const withDefaults = (stored: { notifications?: object; privacy?: object } | undefined): Preferences => ({
  notifications: { ...defaultPreferences.notifications, ...stored?.notifications },
  privacy: { ...defaultPreferences.privacy, ...stored?.privacy },
});
