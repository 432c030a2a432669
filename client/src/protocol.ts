import type {
  Call,
  CallCommand,
  CallSignalCommand,
  ChangesAnswer,
  ChangesRequest,
  Conversation,
  DeleteCommand,
  Draft,
  EditCommand,
  Me,
  Member,
  Message,
  MessageChanged,
  Preferences,
  ReactionCommand,
  Reactions,
  ReceiptCommand,
  Scheduled,
  Self,
  SendCommand,
  StartCall,
  SyncAnswer,
  SyncRequest,
  Thread,
  ThreadRead,
  UserChangesAnswer,
  UserChangesRequest,
} from './generated/contract.js';

/** A row of a conversation at its latest state, and the position it brings the conversation to. */
export type Change = { rev: number } & (
  | { t: 'message'; v: Message }
  | { t: 'member'; v: Member }
  | { t: 'conversation'; v: Conversation }
  | { t: 'thread'; v: Thread }
  | { t: 'void'; v?: undefined }
);

type Deletable<Row> = Row & { deleted?: boolean | undefined };

/** The own side of a conversation, by itself. */
export type Membership = Me & { conversationId: string };

/** A row that belongs to the user alone. */
export type UserChange = { rev: number } & (
  | { t: 'membership'; v: Deletable<Membership> }
  | { t: 'profile'; v: Self }
  | { t: 'preferences'; v: Preferences }
  | { t: 'draft'; v: Deletable<Draft> }
  | { t: 'scheduled'; v: Deletable<Scheduled> }
  | { t: 'contact' | 'block' | 'notification' | 'device'; v: Deletable<Record<string, unknown>> }
);

/** The same as an event: it leads from `from` to `rev`. */
export type LiveChange = Change & { c: string; from: number };
export type LiveUserChange = UserChange & { from: number };

/** userId, delivered, read */
export type ReceiptTuple = [userId: string, delivered: number, read: number];
export type PresenceState = 'active' | 'idle' | 'dnd' | 'offline';
/** userId, state, last seen, version: a lower version is older */
export type PresenceTuple = [userId: string, state: PresenceState, lastSeen: string | null, ver: number];

export interface Ready {
  epoch: string;
  userId: string;
  deviceId: string;
  sessionId: string;
  replicaId: string;
  protocol: number;
  serverTime: string;
  userRev: number;
  limits: Record<
    'messageChars' | 'frameBytes' | 'attachments' | 'mentions' | 'pageMax' | 'headsMax' | 'watchMax',
    number
  >;
  /** Milliseconds. */
  intervals: Record<
    'pingMs' | 'pongMs' | 'antiEntropyMs' | 'headsMs' | 'typingTtlMs' | 'receiptFlushMs' | 'presenceBatchMs',
    number
  >;
}

export type RevocationReason =
  'token_expired' | 'revoked' | 'refresh_reused' | 'suspended' | 'deleted' | 'password_changed' | (string & {});

export interface TypingHint {
  c: string;
  userId: string;
  threadId: string | null;
  /** 0: stopped. */
  ttlMs: number;
}

export interface CallHint {
  callId: string;
  c: string;
  seq: number;
  action: 'ring' | 'accept' | 'decline' | 'leave' | 'end' | 'missed' | 'cancel';
  state: Call['state'];
  userId: string;
  deviceId: string | null;
}

export interface CallSignal {
  callId: string;
  from: { userId: string; deviceId: string };
  data: unknown;
}

/** What the server sends. */
export interface ServerEvents {
  ready: (ready: Ready) => void;
  change: (change: LiveChange) => void;
  'user.change': (change: LiveUserChange) => void;
  receipts: (receipts: [c: string, userId: string, delivered: number, read: number][]) => void;
  typing: (hint: TypingHint) => void;
  presence: (states: PresenceTuple[]) => void;
  heads: (heads: Record<string, number>) => void;
  call: (hint: CallHint) => void;
  'call.signal': (signal: CallSignal) => void;
  'server.draining': (hint: { reconnectAfterMs: number }) => void;
  'session.revoked': (notice: { reason: RevocationReason }) => void;
}

export interface SendResult {
  message: Message;
  /** True when the server had stored it before. */
  deduplicated: boolean;
}

/** What a client may ask: payload and answer by event. */
export interface Commands {
  sync: [SyncRequest, SyncAnswer];
  changes: [ChangesRequest, ChangesAnswer];
  'user.changes': [UserChangesRequest, UserChangesAnswer];
  'message.send': [SendCommand, SendResult];
  'message.edit': [EditCommand, MessageChanged];
  'message.delete': [DeleteCommand, MessageChanged];
  'reaction.set': [ReactionCommand, Reactions];
  receipt: [ReceiptCommand, Me | ThreadRead];
  'presence.activity': [{ state: 'active' | 'idle' | 'dnd' }, Record<string, never>];
  'presence.watch': [{ userIds: string[] }, { states: PresenceTuple[] }];
  'auth.refresh': [{ token: string }, { expiresAt: string }];
  'call.start': [StartCall, Call];
  'call.accept': [CallCommand, Call];
  'call.decline': [CallCommand, Call];
  'call.end': [CallCommand, Call];
  'call.signal': [CallSignalCommand, { delivered: number }];
}
