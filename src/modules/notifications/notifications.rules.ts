/** What puts something on a user's list. */
export const notificationKinds = [
  'mention',
  'reply',
  'thread_reply',
  'added',
  'missed_call',
  'new_follower',
  'security',
] as const;
export type NotificationKind = (typeof notificationKinds)[number];

/** Why a device rang, or did not. */
export const decisionReasons = [
  'ok',
  'collapsed',
  'muted',
  'level',
  'quiet_hours',
  'read_first',
  'delivered_foreground',
  'blocked',
  'not_member',
  'deleted',
  'device_disabled',
  'no_device',
  'token_dead',
  'rate_limited',
  'provider_error',
  'too_old',
] as const;
export type DecisionReason = (typeof decisionReasons)[number];

export type Level = 'all' | 'mentions' | 'none';

/** The message, as far as it decides whether anything rings. */
export interface MessageFacts {
  seq: number;
  deleted: boolean;
  /** System messages, and those sent silently, ring nowhere. */
  quiet: boolean;
  createdAt: Date;
}

export const isQuietMessage = ({ kind, silent }: { kind: string; silent: boolean }): boolean =>
  kind === 'system' || silent;

/** One user and the message. */
export interface RecipientFacts {
  /** Either has blocked the other. */
  blocked: boolean;
  /** Active, and the message is not from before their time. */
  member: boolean;
  readSeq: number;
  /** Highest seq delivered to a socket in use. */
  foregroundSeq: number;
  /** By name, as one of all, or as the one replied to. */
  mentioned: boolean;
  level: Level;
  mutedUntil: Date | null;
  quietHours: { enabled: boolean; start: string; end: string; allowMentions: boolean };
  timeZone: string;
}

export interface DeviceFacts {
  enabled: boolean;
  /** Whether its provider is configured. */
  reachable: boolean;
  /** Pushes of the last minute. */
  recent: number;
}

export const MAX_AGE_MS = 24 * 3_600_000;
/** Pushes to one device in a minute. */
export const DEVICE_RATE = 30;
export const COLLAPSE_MS = 20_000;
const LARGE = 500;

/** What `default` means in a conversation of this size: above 500 members nobody wants to hear everything. */
export function resolveLevel(own: Level | 'default', ofUser: Level, memberCount: number): Level {
  if (own !== 'default') return own;
  return ofUser === 'all' && memberCount > LARGE ? 'mentions' : ofUser;
}

/** Why this user is not to be notified; undefined when they are. The order of the tests is part of the protocol. */
export function suppression(message: MessageFacts, user: RecipientFacts, at: Date): DecisionReason | undefined {
  if (user.blocked) return 'blocked';
  if (!user.member) return 'not_member';
  if (message.deleted) return 'deleted';
  if (at.getTime() - message.createdAt.getTime() > MAX_AGE_MS) return 'too_old';
  if (user.readSeq >= message.seq) return 'read_first';
  if (user.foregroundSeq >= message.seq) return 'delivered_foreground';
  if (message.quiet || user.level === 'none' || (user.level === 'mentions' && !user.mentioned)) return 'level';
  if (user.mutedUntil !== null && user.mutedUntil > at) return 'muted';
  if (isQuiet(user, at) && !(user.mentioned && user.quietHours.allowMentions)) return 'quiet_hours';
  return undefined;
}

/** The same for one of the user's devices, once nothing speaks against the user. */
export function deviceSuppression(device: DeviceFacts): DecisionReason | undefined {
  if (!device.enabled) return 'device_disabled';
  if (!device.reachable) return 'provider_error';
  if (device.recent >= DEVICE_RATE) return 'rate_limited';
  return undefined;
}

const isQuiet = ({ quietHours: { enabled, start, end }, timeZone }: RecipientFacts, at: Date): boolean => {
  if (!enabled || start === end) return false;
  const clock = timeIn(timeZone, at);
  return start < end ? clock >= start && clock < end : clock >= start || clock < end;
};

const formats = new Map<string, Intl.DateTimeFormat>();

/** `HH:MM` on the walls there. */
export function timeIn(timeZone: string, at: Date): string {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    formats.set(timeZone, format);
  }
  return format.format(at);
}

/** One line of what was said. */
export function preview(body: string | null, attachments: number): string {
  const line = Array.from((body ?? '').replaceAll(/\s+/g, ' ').trim());
  if (line.length > 0) return line.length > 200 ? `${line.slice(0, 199).join('')}…` : line.join('');
  return attachments > 0 ? (attachments === 1 ? 'A file' : `${attachments} files`) : 'New message';
}
