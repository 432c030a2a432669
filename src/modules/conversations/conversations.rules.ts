export type ConversationType = 'direct' | 'group' | 'channel';
export type Role = 'owner' | 'admin' | 'member';
export type MemberState = 'active' | 'left' | 'removed';
export type NotifyLevel = 'default' | 'all' | 'mentions' | 'none';
type WhoCan = 'member' | 'admin';

/** What members may do in a conversation, and what later members see of it. */
export interface Settings {
  whoCanPost: WhoCan;
  whoCanInvite: WhoCan;
  whoCanPin: WhoCan;
  whoCanMentionAll: WhoCan;
  historyForNewMembers: 'all' | 'none';
  /** Seconds between two messages of one member; 0 is off. */
  slowModeSec: number;
}

/** What is told in a conversation by messages of kind `system`. */
export type SystemMessageType =
  | 'conversation_created'
  | 'member_added'
  | 'member_joined'
  | 'member_left'
  | 'member_removed'
  | 'role_changed'
  | 'title_changed'
  | 'settings_changed';

const rank: Record<Role, number> = { member: 0, admin: 1, owner: 2 };

/** `owner` > `admin` > `member`. */
export const atLeast = (role: Role, needed: Role): boolean => rank[role] >= rank[needed];
export const outranks = (role: Role, other: Role): boolean => rank[role] > rank[other];

export const MAX_CONVERSATIONS_PER_USER = 2000;
export const MAX_INVITES = 100;
/** Where counting unread rows stops. */
export const UNREAD_CAP = 100;
/** Largest room in which receipts and typing are shown to all. */
export const LIVELY_ROOM = 100;

const group: Settings = {
  whoCanPost: 'member',
  whoCanInvite: 'admin',
  whoCanPin: 'admin',
  whoCanMentionAll: 'admin',
  historyForNewMembers: 'all',
  slowModeSec: 0,
};

export const defaultSettings: Record<ConversationType, Settings> = {
  direct: { ...group, whoCanInvite: 'member', whoCanPin: 'member', whoCanMentionAll: 'member' },
  group,
  channel: { ...group, whoCanPost: 'admin' },
};

/** Which happenings are told in the conversation itself. */
const told: Record<ConversationType, ReadonlySet<SystemMessageType>> = {
  direct: new Set(),
  group: new Set<SystemMessageType>([
    'conversation_created',
    'member_added',
    'member_joined',
    'member_left',
    'member_removed',
    'role_changed',
    'title_changed',
    'settings_changed',
  ]),
  channel: new Set<SystemMessageType>(['conversation_created', 'title_changed', 'settings_changed']),
};
export const isTold = (type: ConversationType, message: SystemMessageType): boolean => told[type].has(message);

/** The one key of a pair, whoever asks. */
export const directKey = (a: string, b: string): string => [a, b].toSorted().join(':');

/** First seq a member sees who joins when the head stands at `headSeq`. */
export const visibleFrom = (settings: Settings, headSeq: number): number =>
  settings.historyForNewMembers === 'all' ? 1 : headSeq + 1;

/** Text for the right side of LIKE, matching itself alone. */
export const escapeLike = (text: string): string => text.replaceAll(/[\\%_]/g, String.raw`\$&`);
