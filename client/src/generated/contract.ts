// Written by scripts/client-types.mjs from the schemas of the server. Do not edit: `npm run client:types`.

export type User = {
  id: string;
  handle: string | null;
  displayName: string;
  bio: string | null;
  avatarMediaId: string | null;
  isOnline: boolean;
  lastSeen: string | null;
  state: 'active' | 'suspended' | 'deleted';
  isContact: boolean;
  isBlocked: boolean;
};

export type Self = {
  id: string;
  handle: string | null;
  displayName: string;
  bio: string | null;
  avatarMediaId: string | null;
  isOnline: boolean;
  lastSeen: string | null;
  state: 'active' | 'suspended' | 'deleted';
  isContact: boolean;
  isBlocked: boolean;
  email: string | null;
  phone: string | null;
  emailVerified: boolean;
  phoneVerified: boolean;
  locale: string;
  timeZone: string;
  roles: string[];
  permissions: string[];
  createdAt: string;
  updatedAt: string;
  rev: number;
};

export type Tokens = {
  accessToken: string;
  expiresIn: number;
  refreshToken: string;
  refreshExpiresAt: string;
  sessionId: string;
  deviceId: string;
};

export type AuthResult = { user: Self; tokens: Tokens };

export type AuthSession = {
  id: string;
  kind: 'builtin' | 'external';
  deviceId: string;
  name: string | null;
  platform: string;
  createdAt: string;
  lastUsedAt: string;
  current: boolean;
};

export type Preferences = {
  notifications: {
    push: boolean;
    level: 'all' | 'mentions' | 'none';
    preview: boolean;
    badge: 'off' | 'conversations' | 'messages';
    quietHours: { enabled: boolean; start: string; end: string; allowMentions: boolean };
  };
  privacy: {
    presence: 'everyone' | 'shared' | 'nobody';
    readReceipts: boolean;
    discoverableBy: 'everyone' | 'contacts' | 'nobody';
    whoCanMessage: 'everyone' | 'contacts';
    whoCanAdd: 'everyone' | 'contacts';
  };
};

export type OtpRequested = { expiresInMs: number; resendAfterMs: number };

export type Me = {
  role: 'owner' | 'admin' | 'member';
  state: 'active' | 'left' | 'removed';
  visibleFromSeq: number;
  readSeq: number;
  deliveredSeq: number;
  unread: number;
  unreadCapped: boolean;
  mentions: number;
  notifyLevel: 'default' | 'all' | 'mentions' | 'none';
  mutedUntil: string | null;
  pinnedAt: string | null;
  archivedAt: string | null;
  markedUnread: boolean;
};

export type Member = {
  conversationId: string;
  userId: string;
  role: 'owner' | 'admin' | 'member';
  state: 'active' | 'left' | 'removed';
  joinedAt: string;
  leftAt: string | null;
  invitedBy: string | null;
  rev: number;
};

export type AddMembersAnswer = {
  added: Member[];
  already: string[];
  refused: { userId: string; code: 'not_found' | 'blocked' | 'privacy_restricted' }[];
};

export type ConversationSettings = {
  whoCanPost: 'member' | 'admin';
  whoCanInvite: 'member' | 'admin';
  whoCanPin: 'member' | 'admin';
  whoCanMentionAll: 'member' | 'admin';
  historyForNewMembers: 'all' | 'none';
  slowModeSec: number;
};

export type Conversation = {
  id: string;
  type: 'direct' | 'group' | 'channel';
  title: string | null;
  description: string | null;
  avatarMediaId: string | null;
  visibility: 'private' | 'public';
  settings: ConversationSettings;
  createdBy: string;
  createdAt: string;
  updatedAt: string;
  deletedAt: string | null;
  rev: number;
};

export type ConversationDetail = {
  id: string;
  type: 'direct' | 'group' | 'channel';
  title: string | null;
  description: string | null;
  avatarMediaId: string | null;
  visibility: 'private' | 'public';
  settings: ConversationSettings;
  createdBy: string;
  createdAt: string;
  updatedAt: string;
  deletedAt: string | null;
  rev: number;
  memberCount: number;
  head: { seq: number; rev: number };
  me: Me;
};

export type PublicChannel = {
  id: string;
  type: 'direct' | 'group' | 'channel';
  title: string | null;
  description: string | null;
  avatarMediaId: string | null;
  visibility: 'private' | 'public';
  settings: ConversationSettings;
  createdBy: string;
  createdAt: string;
  updatedAt: string;
  deletedAt: string | null;
  rev: number;
  memberCount: number;
};

export type Invite = {
  id: string;
  role: 'owner' | 'admin' | 'member';
  maxUses: number | null;
  uses: number;
  expiresAt: string;
  createdBy: string;
};

export type NewInvite = {
  id: string;
  role: 'owner' | 'admin' | 'member';
  maxUses: number | null;
  uses: number;
  expiresAt: string;
  createdBy: string;
  code: string;
  url: string;
};

export type InvitePreview = {
  conversation: {
    id: string;
    type: 'direct' | 'group' | 'channel';
    title: string | null;
    avatarMediaId: string | null;
    memberCount: number;
  };
  expiresAt: string;
};

export type Joined = { conversation: ConversationDetail; joined: boolean };

export type Draft = {
  conversationId: string;
  threadId: string | null;
  body: string;
  replyToSeq: number | null;
  attachmentIds: string[];
  updatedAt: string;
  rev: number;
};

export type UnreadTotals = { conversations: number; messages: number; mentions: number; notifications: number };

export type UnreadExplanation = {
  unread: number;
  capped: boolean;
  ord: number;
  readOrd: number;
  readSeq: number;
  lastDeleteSeq: number;
  method: 'watermark' | 'count';
  mentions: number;
  rev: number;
};

export type Media = {
  id: string;
  ownerId: string;
  purpose: 'attachment' | 'avatar';
  name: string;
  mime: string;
  size: number;
  sha256: string | null;
  state: 'pending' | 'uploaded' | 'processing' | 'ready' | 'rejected' | 'quarantined' | 'deleted';
  width: number | null;
  height: number | null;
  durationMs: number | null;
  blurhash: string | null;
  variants: string[];
  createdAt: string;
};

export type Attachment = {
  name: string;
  mime: string;
  size: number;
  width: number | null;
  height: number | null;
  durationMs: number | null;
  blurhash: string | null;
  variants: string[];
  state: 'pending' | 'uploaded' | 'processing' | 'ready' | 'rejected' | 'quarantined' | 'deleted';
  mediaId: string;
};

export type Upload = {
  mediaId: string;
  strategy: 'post' | 'put' | 'multipart';
  method: 'POST' | 'PUT';
  url: string;
  fields: Record<string, string>;
  headers: Record<string, string>;
  maxBytes: number;
  expiresAt: string;
};

export type Parts = {
  items: { number: number; size: number; url: string | null }[];
  count: number;
  partBytes: number;
  expiresAt: string;
};

export type MediaLink = { url: string; expiresAt: string };

export type Thread = {
  id: string;
  conversationId: string;
  rootSeq: number;
  title: string | null;
  locked: boolean;
  replyCount: number;
  lastReplySeq: number | null;
  lastReplyAt: string | null;
  rev: number;
};

export type ThreadDetail = {
  id: string;
  conversationId: string;
  rootSeq: number;
  title: string | null;
  locked: boolean;
  replyCount: number;
  lastReplySeq: number | null;
  lastReplyAt: string | null;
  rev: number;
  me: { following: boolean; readSeq: number; unread: number };
};

export type ThreadRead = { readSeq: number; unread: number };

export type Call = {
  id: string;
  conversationId: string;
  seq: number;
  media: 'audio' | 'video';
  state: 'ringing' | 'active' | 'ended' | 'declined' | 'missed' | 'cancelled';
  initiatorId: string;
  participants: {
    userId: string;
    state: 'ringing' | 'joined' | 'declined' | 'left' | 'missed';
    joinedAt: string | null;
    leftAt: string | null;
  }[];
  createdAt: string;
  answeredAt: string | null;
  endedAt: string | null;
  endReason: string | null;
};

export type Reaction = { emoji: string; count: number; userIds: string[] };

export type Message = {
  id: string;
  conversationId: string;
  seq: number;
  rev: number;
  kind: 'text' | 'custom' | 'system' | 'call';
  senderId: string | null;
  clientId: string | null;
  body: string | null;
  meta: Record<string, unknown> | null;
  replyToSeq: number | null;
  threadId: string | null;
  mentions: string[];
  mentionAll: boolean;
  attachments: Attachment[];
  forwardedFrom: { messageId: string; senderId: string | null; createdAt: string } | null;
  silent: boolean;
  reactions: Reaction[];
  pinned: { at: string; by: string | null } | null;
  thread: Thread | null;
  call: Call | null;
  system: { type: string; actorId: string; targetIds: string[]; data: Record<string, unknown> } | null;
  createdAt: string;
  editedAt: string | null;
  deletedAt: string | null;
  deletedBy: string | null;
};

export type MessageChanged = { message: Message; changed: boolean };

export type Reactions = { rev: number; reactions: Reaction[]; mine: string[]; changed: boolean };

export type Head = { seq: number; rev: number };

export type History = { items: Message[]; hasBefore: boolean; hasAfter: boolean; head: Head };

export type SearchHit = { message: Message; highlight: string };

export type Scheduled = {
  id: string;
  conversationId: string;
  clientId: string;
  sendAt: string;
  state: 'pending' | 'sent' | 'failed' | 'cancelled';
  failureCode: string | null;
  messageId: string | null;
  kind: 'text' | 'custom';
  body: string | null;
  meta: Record<string, unknown> | null;
  replyToSeq: number | null;
  threadId: string | null;
  attachmentIds: string[];
  mentions: string[];
  mentionAll: boolean;
  silent: boolean;
  forwardOf: { conversationId: string; seq: number } | null;
  rev: number;
};

export type ChangeRow = { rev: number; t: 'message' | 'member' | 'conversation' | 'thread'; v: unknown };

export type UserChangeRow = {
  rev: number;
  t: 'membership' | 'profile' | 'preferences' | 'contact' | 'block' | 'draft' | 'scheduled' | 'notification' | 'device';
  v: unknown;
};

export type ChangesAnswer = { c: string; changes: ChangeRow[]; upTo: number; more: boolean; head: Head; me: Me };

export type UserChangesAnswer = { changes: UserChangeRow[]; upTo: number; more: boolean };

export type SyncEntry = {
  id: string;
  head: Head;
  me: Me;
  upTo: number;
  limited: boolean;
  conversation: ConversationDetail | null;
  changes: ChangeRow[];
  receipts: [string, number, number][] | null;
};

export type SyncAnswer = {
  epoch: string;
  reset: boolean;
  userRev: number;
  user: UserChangeRow[];
  userMore: boolean;
  gone: string[];
  cursor: string | null;
  conversations: SyncEntry[];
};

export type Register = {
  identifier: string;
  password: string;
  displayName: string;
  handle?: string | undefined;
  device?:
    | {
        deviceId?: string | undefined;
        name?: string | undefined;
        platform?: 'ios' | 'android' | 'web' | 'desktop' | 'bot' | 'other' | undefined;
      }
    | undefined;
};

export type Login = {
  identifier: string;
  password: string;
  device?:
    | {
        deviceId?: string | undefined;
        name?: string | undefined;
        platform?: 'ios' | 'android' | 'web' | 'desktop' | 'bot' | 'other' | undefined;
      }
    | undefined;
};

export type RequestOtp = { identifier: string; purpose: 'login' | 'verify' | 'reset_password' };

export type VerifyOtp = {
  identifier: string;
  code: string;
  purpose: 'login' | 'verify';
  device?:
    | {
        deviceId?: string | undefined;
        name?: string | undefined;
        platform?: 'ios' | 'android' | 'web' | 'desktop' | 'bot' | 'other' | undefined;
      }
    | undefined;
};

export type UpdateProfile = {
  displayName?: string | undefined;
  handle?: string | null | undefined;
  bio?: string | null | undefined;
  avatarMediaId?: string | null | undefined;
  locale?: string | undefined;
  timeZone?: string | undefined;
};

export type CreateConversation = {
  type: 'direct' | 'group' | 'channel';
  memberIds?: string[] | undefined;
  title?: string | null | undefined;
  description?: string | null | undefined;
  visibility?: 'private' | 'public' | undefined;
  settings?:
    | {
        whoCanPost?: 'member' | 'admin' | undefined;
        whoCanInvite?: 'member' | 'admin' | undefined;
        whoCanPin?: 'member' | 'admin' | undefined;
        whoCanMentionAll?: 'member' | 'admin' | undefined;
        historyForNewMembers?: 'all' | 'none' | undefined;
        slowModeSec?: number | undefined;
      }
    | undefined;
};

export type UpdateConversation = {
  title?: string | undefined;
  description?: string | null | undefined;
  avatarMediaId?: string | null | undefined;
  visibility?: 'private' | 'public' | undefined;
  settings?:
    | {
        whoCanPost?: 'member' | 'admin' | undefined;
        whoCanInvite?: 'member' | 'admin' | undefined;
        whoCanPin?: 'member' | 'admin' | undefined;
        whoCanMentionAll?: 'member' | 'admin' | undefined;
        historyForNewMembers?: 'all' | 'none' | undefined;
        slowModeSec?: number | undefined;
      }
    | undefined;
};

export type UpdateMe = {
  notifyLevel?: 'default' | 'all' | 'mentions' | 'none' | undefined;
  mutedUntil?: string | null | undefined;
  pinned?: boolean | undefined;
  archived?: boolean | undefined;
  markedUnread?: boolean | undefined;
};

export type CreateInvite = {
  expiresInSec?: number | undefined;
  maxUses?: number | null | undefined;
  role?: 'member' | 'admin' | undefined;
};

export type PutDraft = { body: string; replyToSeq?: number | null | undefined; attachmentIds?: string[] | undefined };

export type ReceiptCommand =
  | { c: string; delivered?: number | undefined; read?: number | undefined }
  | { c: string; threadId: string; read: number };

export type SendFields = {
  clientId: string;
  kind?: 'text' | 'custom' | undefined;
  body?: string | undefined;
  meta?: Record<string, unknown> | undefined;
  replyToSeq?: number | undefined;
  threadId?: string | undefined;
  attachmentIds?: string[] | undefined;
  mentions?: string[] | undefined;
  mentionAll?: boolean | undefined;
  silent?: boolean | undefined;
  markRead?: boolean | undefined;
  forwardOf?: { conversationId: string; seq: number } | undefined;
};

export type SendCommand = {
  c: string;
  clientId: string;
  kind?: 'text' | 'custom' | undefined;
  body?: string | undefined;
  meta?: Record<string, unknown> | undefined;
  replyToSeq?: number | undefined;
  threadId?: string | undefined;
  attachmentIds?: string[] | undefined;
  mentions?: string[] | undefined;
  mentionAll?: boolean | undefined;
  silent?: boolean | undefined;
  markRead?: boolean | undefined;
  forwardOf?: { conversationId: string; seq: number } | undefined;
};

export type EditFields = {
  body?: string | undefined;
  meta?: Record<string, unknown> | undefined;
  mentions?: string[] | undefined;
  attachmentIds?: string[] | undefined;
  ifRev?: number | undefined;
};

export type EditCommand = {
  c: string;
  seq: number;
  body?: string | undefined;
  meta?: Record<string, unknown> | undefined;
  mentions?: string[] | undefined;
  attachmentIds?: string[] | undefined;
  ifRev?: number | undefined;
};

export type DeleteCommand = { c: string; seq: number; ifRev?: number | undefined };

export type ReactionCommand = { c: string; seq: number; emoji: string; on: boolean };

export type CreateUpload = {
  name: string;
  size: number;
  mime: string;
  sha256?: string | undefined;
  purpose?: 'attachment' | 'avatar' | undefined;
};

export type CreateThread = { rootSeq: number; title?: string | undefined };

export type CreateScheduled = {
  conversationId: string;
  sendAt: string;
  clientId: string;
  kind?: 'text' | 'custom' | undefined;
  body?: string | undefined;
  meta?: Record<string, unknown> | undefined;
  replyToSeq?: number | undefined;
  threadId?: string | undefined;
  attachmentIds?: string[] | undefined;
  mentions?: string[] | undefined;
  mentionAll?: boolean | undefined;
  silent?: boolean | undefined;
  markRead?: boolean | undefined;
  forwardOf?: { conversationId: string; seq: number } | undefined;
};

export type StartCall = { c: string; media: 'audio' | 'video'; clientId: string };

export type CallCommand = { callId: string };

export type CallSignalCommand = {
  callId: string;
  to: { userId: string; deviceId?: string | undefined };
  data: unknown;
};

export type SyncRequest = {
  epoch?: string | undefined;
  userRev?: number | undefined;
  heads?: Record<string, number> | undefined;
  limit?: number | undefined;
  cursor?: string | undefined;
};

export type ChangesRequest = { c: string; after: number; limit?: number | undefined };

export type UserChangesRequest = { after: number; limit?: number | undefined };
