/** What a device says about its user. */
export type Activity = 'active' | 'idle' | 'dnd';
/** What a user chose to show. */
export type PresenceMode = 'auto' | 'dnd' | 'invisible';
/** What others see. */
export type PresenceState = Activity | 'offline';

/** A user's presence as the tables have it, the same for every viewer. */
export interface PresenceRow {
  userId: string;
  /** Of all devices together; null without a live one. */
  activity: Activity | null;
  mode: PresenceMode;
  lastSeenAt: Date;
  ver: number;
}

/** What is shown of a user: state, when last seen (null: not told), and the version of both. */
export interface Shown {
  state: PresenceState;
  lastSeen: Date | null;
  ver: number;
}

/** Nothing at all, for those who may not know and of those nobody has seen. */
export const hidden: Shown = { state: 'offline', lastSeen: null, ver: 0 };

const strength: Record<Activity, number> = { dnd: 3, active: 2, idle: 1 };

/** Devices combine: dnd wins over active, active over idle; without any the user is away. */
export function combine(activities: Iterable<Activity>): Activity | null {
  let strongest: Activity | null = null;
  for (const activity of activities)
    if (strongest === null || strength[activity] > strength[strongest]) strongest = activity;
  return strongest;
}

/** What a viewer who may see the user sees. The version of an invisible user would tell of comings and goings. */
export function shownOf(row: PresenceRow | undefined): Shown {
  if (!row || row.mode === 'invisible') return hidden;
  const { activity, mode, lastSeenAt: lastSeen, ver } = row;
  if (activity === null) return { state: 'offline', lastSeen, ver };
  return { state: mode === 'dnd' ? 'dnd' : activity, lastSeen, ver };
}
