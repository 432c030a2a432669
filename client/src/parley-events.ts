import type { Conversation } from './conversation.js';
import type { ParleyError } from './errors.js';
import type { Message, Tokens } from './generated/contract.js';
import type { Pending } from './outbox.js';
import type { OutboxStoreFactory } from './outbox-store.js';
import type { CallHint, CallSignal, PresenceState, RevocationReason, UserChange } from './protocol.js';
import type { GoneReason } from './sync-core.js';

export interface ParleyOptions {
  /** Where unsent messages are kept; in memory unless given. */
  outbox?: OutboxStoreFactory;
  /** Confirms delivery of what was received. On unless false. */
  confirmDelivery?: boolean;
  /** `['websocket']` unless the server allows polling. */
  transports?: ('websocket' | 'polling')[];
}

export type Status = 'offline' | 'connecting' | 'syncing' | 'online' | 'signed-out';

export interface ParleyEvents {
  status: { status: Status; error?: ParleyError };
  /**
   * A message that was not there before. When a conversation is first loaded these are the ones of others that no device
   * of the user had received yet; older ones are in its timeline.
   */
  message: { conversation: Conversation; message: Message };
  /** A message that was edited, deleted, reacted to, or is otherwise different. */
  'message.changed': { conversation: Conversation; message: Message };
  /** Something in a conversation changed; once per burst. */
  conversation: { conversation: Conversation };
  /** No longer ours. */
  'conversation.gone': { id: string; reason: GoneReason };
  /** Everything known was dropped: the server has another history. */
  reset: Record<string, never>;
  synced: { durationMs: number };
  /** A hole was found before a live change; `repaired` tells when it was closed. */
  gap: { id: string; position: number; from: number };
  repaired: { id: string; position: number; rows: number; durationMs: number };
  /** A message of the outbox changed its state. */
  outbox: Pending;
  presence: { userId: string; state: PresenceState; lastSeen: string | null };
  call: CallHint;
  'call.signal': CallSignal;
  /** A row of the user's own feed: profile, preferences, draft, notification and others. */
  'user.change': UserChange;
  /** To be kept for `Parley.resume`. */
  tokens: Tokens;
  /** The server closed the socket for good; the client tries to renew its token, else `signed-out` follows. */
  'session.revoked': { reason: RevocationReason };
  'signed-out': { error: ParleyError };
  /** Every event of the server as it came, before anything is done about it. For tools that look on. */
  raw: { name: string; payload: unknown };
}
